import { KafkaError } from '../errors.ts'
import type { Clock } from '../runtime/runtime.ts'

/** One time budget shared by all steps of an operation, on the clock of the runtime. */
export class Deadline {
  readonly timeoutMs: number
  private readonly clock: Clock
  private readonly end: number

  /** Throws ERR_INVALID_ARGUMENT for NaN: no time would ever be after that. */
  constructor(clock: Clock, timeoutMs: number) {
    if (Number.isNaN(timeoutMs)) throw new KafkaError('ERR_INVALID_ARGUMENT', 'timeoutMs is NaN: give a number of milliseconds')
    this.clock = clock
    this.timeoutMs = timeoutMs
    this.end = clock.monotonic() + timeoutMs
  }

  /** Milliseconds left, 0 when it has passed. */
  get remainingMs(): number {
    return Math.max(0, this.end - this.clock.monotonic())
  }

  get passed(): boolean {
    return this.clock.monotonic() >= this.end
  }
}
