import type { Clock, Timer } from '../runtime.ts'

interface Event {
  readonly at: number
  /** Events of one moment happen in the order in which they were asked for. */
  readonly order: number
  /** Undefined once it is cancelled or done. */
  callback: (() => void) | undefined
}

/** The real event loop gets a turn after this many events, so that a test's own timeout can still end it. */
const EVENTS_PER_TURN = 2_000
/** How often the real loop is given a turn when nothing is left to simulate: something real may be pending. */
const IDLE_TURNS = 20

/**
 * Time that moves only when nothing is left to do at the present moment: a queue of events ordered by (time, order of
 * asking). One event happens at a time, and all promise reactions it causes have run before the next one.
 */
export class VirtualClock implements Clock {
  /** Milliseconds between the epoch and virtual time 0. Changing it is a jump of the wall clock. */
  epochMs: number
  /** Events that have happened. */
  happened = 0
  private time = 0
  private order = 0
  private readonly heap: Event[] = []
  private failure: { error: unknown } | undefined
  private playing = false
  private holds = 0

  constructor(epochMs: number) {
    this.epochMs = epochMs
  }

  now(): number {
    return this.epochMs + Math.floor(this.time)
  }

  monotonic(): number {
    return this.time
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    // Node never waits less than a millisecond.
    const event = this.at(this.time + Math.max(1, Math.min(Math.trunc(delayMs), 0x7fffffff)), callback)
    return {
      cancel: () => {
        event.callback = undefined
      },
      unref: () => {},
    }
  }

  soon(callback: () => void): void {
    this.at(this.time, callback)
  }

  /** Calls back at a virtual time, fractions of a millisecond included. */
  at(time: number, callback: () => void): Event {
    const event: Event = { at: Math.max(time, this.time), order: this.order++, callback }
    this.push(event)
    return event
  }

  /** What comes of something real, such as an import, as an event of this moment: until it has come, nothing else happens. */
  async hold<T>(real: Promise<T>): Promise<T> {
    real.catch(() => {})
    await new Promise<void>(resolve => this.soon(resolve))
    this.holds++
    try {
      return await real
    } finally {
      this.holds--
    }
  }

  /** Timers and other events that are still to come. */
  get pending(): number {
    return this.heap.reduce((count, event) => count + (event.callback ? 1 : 0), 0)
  }

  /**
   * Lets events happen until `done()` holds or the next one is later than `limit`; rejects with what an event throws.
   * Resolves with why it stopped.
   */
  async play(done: () => boolean, limit: number): Promise<'done' | 'limit' | 'nothing left'> {
    if (this.playing) throw new Error('time already moves: await a timer of the runtime inside run(), not advance()')
    this.playing = true
    try {
      return await this.steps(done, limit)
    } finally {
      this.playing = false
    }
  }

  private steps(done: () => boolean, limit: number): Promise<'done' | 'limit' | 'nothing left'> {
    return new Promise((resolve, reject) => {
      let inTurn = 0
      let idleTurns = 0
      const step = () => {
        if (this.failure) {
          const { error } = this.failure
          this.failure = undefined
          return reject(error)
        }
        if (this.holds > 0) return void setImmediate(step)
        if (done()) return resolve('done')
        const next = this.next()
        if (!next) {
          if (limit < Number.POSITIVE_INFINITY) {
            this.time = Math.max(this.time, limit)
            return resolve('limit')
          }
          if (idleTurns++ < IDLE_TURNS) return setImmediate(step)
          return resolve('nothing left')
        }
        if (next.at > limit) {
          this.time = limit
          return resolve('limit')
        }
        idleTurns = 0
        this.pop()
        this.time = next.at
        this.happened++
        const { callback } = next
        next.callback = undefined
        try {
          callback!()
        } catch (error) {
          this.failure = { error }
        }
        // A tick is taken only when the microtask queue has run dry, however many microtasks make further ones: so
        // everything this event set off is over before the next one, at a tenth of the price of setImmediate.
        if (++inTurn % EVENTS_PER_TURN === 0) setImmediate(step)
        else queueMicrotask(tick)
      }
      const tick = () => process.nextTick(step)
      queueMicrotask(tick)
    })
  }

  private next(): Event | undefined {
    while (this.heap.length > 0 && !this.heap[0]!.callback) this.pop()
    return this.heap[0]
  }

  private push(event: Event): void {
    const { heap } = this
    let i = heap.push(event) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(event, heap[parent]!)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = event
  }

  private pop(): void {
    const { heap } = this
    const last = heap.pop()!
    const { length } = heap
    if (length === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= length) break
      if (child + 1 < length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = last
  }
}

const before = (a: Event, b: Event) => a.at < b.at || (a.at === b.at && a.order < b.order)
