import type { Socket } from 'node:net'
import type { Network, Runtime, Sink, Transport } from '../../src/runtime/runtime.ts'
import { seededRandom } from '../../src/runtime/simulated/index.ts'

/** A runtime, simulated or real, on which every connection that is dialled breaks at a random age: the chaos dialer. */
export class DyingConnections {
  /** What clients are to run on. */
  readonly runtime: Runtime
  dialled = 0
  /** Connections that were reset before anybody closed them. */
  deaths = 0
  /** Connections that are open now. */
  open = 0
  private readonly under: Runtime
  private readonly random: () => number
  private readonly lifeMs: readonly [least: number, most: number]

  constructor(under: Runtime, { seed, lifeMs = [500, 1_500] }: { seed: number; lifeMs?: readonly [number, number] }) {
    this.under = under
    this.random = seededRandom(seed)
    this.lifeMs = lifeMs
    const { clock, random, secureRandom, offload, http } = under
    this.runtime = { clock, random, secureRandom, offload, http, network: this.network() }
  }

  private network(): Network {
    const { network } = this.under
    return {
      resolve: host => network.resolve(host),
      listen: (options, accept) => network.listen(options, accept),
      dial: async (target, sink, signal) => {
        const life = new Life(sink, () => {
          this.open--
        })
        const transport = await network.dial(target, life, signal)
        this.dialled++
        this.open++
        const [least, most] = this.lifeMs
        const timer = this.under.clock.setTimer(least + this.random() * (most - least), () => {
          this.deaths++
          life.broken = true
          reset(transport)
        })
        timer.unref()
        life.ended = () => timer.cancel()
        return transport
      },
    }
  }
}

/** Both ends see ECONNRESET: a real socket sends RST instead of FIN. */
function reset(transport: Transport): void {
  if ('reset' in transport && typeof transport.reset === 'function') transport.reset()
  else (Reflect.get(transport, 'stream') as Socket).resetAndDestroy()
}

class Life implements Sink {
  broken = false
  ended = () => {}
  private readonly sink: Sink
  private readonly over: () => void

  constructor(sink: Sink, over: () => void) {
    this.sink = sink
    this.over = over
  }

  space(): Uint8Array {
    return this.sink.space()
  }
  filled(n: number): void {
    this.sink.filled(n)
  }
  drained(): void {
    this.sink.drained()
  }
  closed(error?: Error): void {
    this.ended()
    this.over()
    // The end that sends the RST is told of nothing by its kernel.
    const broken = this.broken ? Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }) : undefined
    this.sink.closed(error ?? broken)
  }
}
