import type { Network, Runtime, Sink, Timer } from '../../src/runtime/runtime.ts'

/** A runtime that counts what is outstanding: timers of both kinds, connections, listeners. */
export class WatchedRuntime {
  readonly runtime: Runtime
  /** Set, and neither fired nor cancelled. */
  timers = 0
  /** Those of them that keep the process alive. */
  holding = 0
  /** Timers whose time came. */
  fired = 0
  dialled = 0
  /** Dialled or accepted, and not closed. */
  connections = 0
  listeners = 0
  private readonly under: Runtime

  constructor(under: Runtime) {
    this.under = under
    const { clock, random, secureRandom, offload, http } = under
    this.runtime = {
      random,
      secureRandom,
      offload,
      http,
      network: this.network(),
      clock: {
        now: () => clock.now(),
        monotonic: () => clock.monotonic(),
        soon: callback => clock.soon(callback),
        setTimer: (delayMs, callback) =>
          this.watched(done =>
            clock.setTimer(delayMs, () => {
              done()
              this.fired++
              callback()
            }),
          ),
      },
    }
  }

  private watched(set: (done: () => void) => Timer): Timer {
    let pending = true
    let holds = true
    this.timers++
    this.holding++
    const unref = () => {
      if (holds) this.holding--
      holds = false
    }
    const done = () => {
      unref()
      if (pending) this.timers--
      pending = false
    }
    const timer = set(done)
    return {
      cancel: () => {
        done()
        timer.cancel()
      },
      unref: () => {
        unref()
        timer.unref()
      },
    }
  }

  private network(): Network {
    const { network } = this.under
    const counted = (sink: Sink): Sink => ({
      space: () => sink.space(),
      filled: n => sink.filled(n),
      drained: () => sink.drained(),
      closed: error => {
        this.connections--
        sink.closed(error)
      },
    })
    return {
      resolve: host => network.resolve(host),
      dial: async (target, sink, signal) => {
        const transport = await network.dial(target, counted(sink), signal)
        this.dialled++
        this.connections++
        return transport
      },
      listen: async (options, accept) => {
        const listener = await network.listen(options, transport => {
          this.connections++
          return counted(accept(transport))
        })
        this.listeners++
        return {
          host: listener.host,
          port: listener.port,
          close: async () => {
            await listener.close()
            this.listeners--
          },
        }
      },
    }
  }
}
