/**
 * The longest synchronous turn of this process's event loop, in CPU time of the main thread.
 *
 * A timer of 1 ms fires as soon as the turn under way is over, and reads how much CPU time the main thread has used
 * since it fired last. A turn that hogs the loop shows up whole in one reading; short turns between two timers add up, so
 * the figure is an upper bound, about a millisecond too high. CPU time instead of the clock, because a broker and other
 * processes share the cores: what the scheduler gives to them is no fault of ours. Garbage collection on the main thread
 * counts. `monitorEventLoopDelay` goes by the clock, and is reported beside it.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'

export interface Turns {
  /** Longest turn, CPU milliseconds of the main thread. */
  readonly cpuMs: number
  /** Longest delay of the loop by the clock, milliseconds: preemption by other processes included. */
  readonly clockMs: number
}

export class TurnMeter {
  private readonly delays: IntervalHistogram
  private readonly thread = openThreadClock()
  private readonly timer: NodeJS.Timeout
  private last: number
  private longest = 0

  constructor() {
    this.delays = monitorEventLoopDelay({ resolution: 1 })
    this.delays.enable()
    this.last = this.thread.read()
    this.timer = setInterval(() => this.sample(), 1)
    this.timer.unref()
  }

  /** Forgets what was measured so far, start-up for instance. */
  reset(): void {
    this.delays.reset()
    this.last = this.thread.read()
    this.longest = 0
  }

  turns(): Turns {
    this.sample()
    return { cpuMs: this.longest, clockMs: Math.max(0, this.delays.max / 1e6 - 1) }
  }

  stop(): void {
    clearInterval(this.timer)
    this.delays.disable()
    this.thread.close()
  }

  private sample(): void {
    const now = this.thread.read()
    this.longest = Math.max(this.longest, now - this.last)
    this.last = now
  }
}

/** CPU milliseconds of the main thread where Linux tells (schedstat, nanoseconds), else of the whole process. */
export function openThreadClock(): { read(): number; close(): void } {
  try {
    const fd = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r')
    const buffer = Buffer.alloc(64)
    return {
      read: () => Number(buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, 0)).split(' ', 1)[0]) / 1e6,
      close: () => closeSync(fd),
    }
  } catch {
    return {
      read: () => {
        const { user, system } = process.cpuUsage()
        return (user + system) / 1e3
      },
      close: () => {},
    }
  }
}
