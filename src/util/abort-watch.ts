import type { Clock, Timer } from '../runtime/runtime.ts'

/**
 * One listener per AbortSignal, however many wait for it. Adding one per wait to a signal that lives long makes V8 promote
 * every one of them to the old generation, with what hangs on it, and Node warns of the eleventh.
 */

/** How many signals keep their listener although nobody waits for them just now: the next wait is likely to be for the same. */
const KEPT = 16

class AbortWatch {
  private readonly signal: AbortSignal
  private readonly waiting = new Set<() => void>()
  private listening = false
  private kept = false

  constructor(signal: AbortSignal) {
    this.signal = signal
  }

  add(callback: () => void): void {
    this.waiting.add(callback)
    if (this.listening) return
    this.listening = true
    this.signal.addEventListener('abort', this.fire, { once: true })
  }

  delete(callback: () => void): void {
    this.waiting.delete(callback)
    if (this.waiting.size > 0 || !this.listening || this.kept) return
    this.kept = true
    kept[turn]?.dismiss()
    kept[turn] = this
    turn = (turn + 1) % KEPT
  }

  /** A listener for good would leak: Node holds on to each composite or timeout signal that has one. */
  private dismiss(): void {
    this.kept = false
    if (this.waiting.size > 0) return
    this.listening = false
    this.signal.removeEventListener('abort', this.fire)
  }

  private readonly fire = (): void => {
    this.listening = false
    for (const callback of this.waiting) callback()
    this.waiting.clear()
  }
}

const watches = new WeakMap<AbortSignal, AbortWatch>()
const kept: AbortWatch[] = []
let turn = 0

/** Calls back once when the signal fires, at once if it has fired already. Returns what ends the waiting. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback()
    return () => {}
  }
  let watch = watches.get(signal)
  if (!watch) watches.set(signal, (watch = new AbortWatch(signal)))
  const found = watch
  found.add(callback)
  return () => found.delete(callback)
}

/** The outcome of the work, or the signal's reason as soon as it fires: then the work is left to itself. */
export function unlessAborted<T>(work: T | Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const unlisten = onAbort(signal, () => reject(signal.reason))
    Promise.resolve(work).then(resolve, reject).finally(unlisten)
  })
}

/** Resolves after `ms`. Rejects with the signal's reason as soon as it fires. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  let timer: Timer | undefined
  const passed = new Promise<void>(resolve => {
    timer = clock.setTimer(ms, resolve)
  })
  try {
    await unlessAborted(passed, signal)
  } finally {
    timer?.cancel()
  }
}
