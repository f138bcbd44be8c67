import type { Clock } from '../runtime/runtime.ts'
import { onAbort } from '../util/abort-watch.ts'
import { Deferred } from '../util/deferred.ts'

/** Lets one waiter sleep until something happens; what happens before it sleeps is not lost. */
export class Wakeup {
  private readonly clock: Clock
  private waiter: Deferred<void> | undefined
  /** Something happened that the waiter has not looked at. */
  pending = false

  constructor(clock: Clock) {
    this.clock = clock
  }

  notify(): void {
    this.pending = true
    this.waiter?.resolve()
  }

  /** Call before looking at the state of things: what happens from now on is news. */
  clear(): void {
    this.pending = false
  }

  /** Until news, the signal, or `ms` have passed (never, if infinite). */
  async wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (this.pending || ms <= 0 || signal?.aborted) return
    const waiter = new Deferred<void>()
    this.waiter = waiter
    const wake = () => waiter.resolve()
    const timer = Number.isFinite(ms) ? this.clock.setTimer(Math.ceil(ms), wake) : undefined
    const unlisten = signal && onAbort(signal, wake)
    try {
      await waiter.promise
    } finally {
      this.waiter = undefined
      timer?.cancel()
      unlisten?.()
    }
  }
}
