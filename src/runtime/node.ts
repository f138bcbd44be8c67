/** The real outside world: node:net, node:tls, node:dns, the wall clock and threads. */
import { pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { nodeHttp } from './node-http.ts'
import { nodeNetwork } from './node-network.ts'
import { NodeThread } from './node-thread.ts'
import type { Clock, Offload, Runtime } from './runtime.ts'
import { stepwise } from './stepwise.ts'

export { tunnelled } from './node-network.ts'

const LONGEST_TIMER_MS = 0x7fffffff
const derive = promisify(pbkdf2)

const clock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  setTimer(delayMs, callback) {
    // A longer delay would fire at once.
    const timer = setTimeout(callback, Math.min(delayMs, LONGEST_TIMER_MS))
    return { cancel: () => clearTimeout(timer), unref: () => void timer.unref() }
  },
  soon(callback) {
    setImmediate(callback)
  },
}

const thread = new NodeThread()

const offload: Offload = {
  run: async job => (job.pooled ? job.pooled(thread.call, stepwise) : job.stepped ? stepwise(job.stepped()) : job.inline()),
  pbkdf2: derive,
}

/** What clients and brokers run on unless told otherwise. */
export const nodeRuntime: Runtime = {
  clock,
  network: nodeNetwork,
  random: Math.random,
  secureRandom: randomBytes,
  offload,
  http: nodeHttp,
}
