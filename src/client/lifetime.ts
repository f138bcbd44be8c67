import { type ClosedError, KafkaError, TimeoutError } from '../errors.ts'
import type { Clock } from '../runtime/runtime.ts'
import { onAbort } from '../util/abort-watch.ts'
import { Deferred } from '../util/deferred.ts'

const ignore = () => {}

/** The error of an operation whose AbortSignal fired. Nothing is said about requests already sent. */
export function abortedError(operation: string, signal: AbortSignal): KafkaError {
  return new KafkaError('ERR_ABORTED', `${operation} was aborted by its signal`, { cause: signal.reason })
}

/** All waiting of one client: each wait ends at once when the client closes, and leaves no timer or listener behind. */
export class Lifetime {
  readonly clock: Clock
  private error: ClosedError | undefined
  private readonly waiting = new Set<(error: Error) => void>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Why nothing may be started any more. */
  get ended(): ClosedError | undefined {
    return this.error
  }

  /** Rejects whatever waits, and each later wait. */
  end(error: ClosedError): void {
    if (this.error) return
    this.error = error
    for (const reject of this.waiting) reject(error)
    this.waiting.clear()
  }

  check(): void {
    if (this.error) throw this.error
  }

  /** Resolves after `ms`. Rejects with ERR_ABORTED or ERR_CLOSED. */
  delay(ms: number, signal?: AbortSignal): Promise<void> {
    const deferred = new Deferred<void>()
    const release = this.guard(deferred.reject, 'waiting', signal)
    const timer = this.clock.setTimer(Math.max(0, Math.ceil(ms)), () => deferred.resolve())
    return settle(deferred, () => {
      timer.cancel()
      release()
    })
  }

  /**
   * The promise's outcome, unless `ms` pass, the signal fires or the client closes first: then the promise is left to
   * itself. `outcome` is what the TimeoutError says about the request.
   */
  within<T>(
    promise: Promise<T>,
    {
      ms,
      of = ms,
      operation,
      hint,
      signal,
      outcome = 'unknown',
    }: {
      ms: number
      /** The whole budget of which `ms` are left, for the message. */
      of?: number
      operation: string
      /** What the TimeoutError says about the probable cause. */
      hint?: string
      signal?: AbortSignal | undefined
      outcome?: 'not-sent' | 'unknown'
    },
  ): Promise<T> {
    const deferred = new Deferred<T>()
    const release = this.guard(deferred.reject, operation, signal)
    const timer = this.clock.setTimer(Math.max(0, Math.ceil(ms)), () =>
      deferred.reject(new TimeoutError(operation, of, hint === undefined ? { outcome } : { outcome, hint })),
    )
    promise.then(deferred.resolve, deferred.reject)
    return settle(deferred, () => {
      timer.cancel()
      release()
    })
  }

  /** Calls `reject` when the client closes or the signal fires, until released. */
  private guard(reject: (error: Error) => void, operation: string, signal: AbortSignal | undefined): () => void {
    if (this.error) {
      reject(this.error)
      return ignore
    }
    this.waiting.add(reject)
    if (!signal) return () => this.waiting.delete(reject)
    const unlisten = onAbort(signal, () => reject(abortedError(operation, signal)))
    return () => {
      this.waiting.delete(reject)
      unlisten()
    }
  }
}

async function settle<T>(deferred: Deferred<T>, release: () => void): Promise<T> {
  try {
    return await deferred.promise
  } finally {
    release()
  }
}
