import { Worker } from 'node:worker_threads'
import type { InThread } from './runtime.ts'
import { stepwise } from './stepwise.ts'

/** How long the thread stays when nobody calls. */
const IDLE_MS = 5_000
/** Memory of its modules never shrinks: a thread that holds more than this outside the heap does what it was asked, and ends. */
const KEPT_BYTES = 64 * 1024 * 1024
/** How much is copied at once: some tenths of a millisecond. */
const STEP_BYTES = 1024 * 1024

/**
 * What runs in the thread. It is text because a file of its own would be lost in a program that is bundled, and takes nothing for
 * granted about the kind of module that it is made: flags of the process decide that.
 */
const PROGRAM = `import('node:worker_threads').then(({ parentPort }) => {
  const modules = new Map()
  const load = async module => {
    const exports = await import(module)
    await exports.init?.()
    return exports
  }
  parentPort.on('message', async ({ id, module, name, input, options }) => {
    if (!modules.has(module)) modules.set(module, load(module))
    const exports = await modules.get(module).catch(() => process.exit())
    let output, failure
    try {
      output = exports[name](input, options)
    } catch (error) {
      failure = String(error?.message ?? error)
    }
    const grown = process.memoryUsage().external > ${KEPT_BYTES}
    parentPort.postMessage({ id, output, failure, grown }, output ? [output.buffer] : [])
  })
})`

interface Answer {
  readonly id: number
  readonly output?: Uint8Array
  readonly failure?: string
  readonly grown: boolean
}
interface Call {
  resolve(output: Uint8Array | undefined): void
  reject(error: Error): void
}
/** A worker, and what it has been asked and not answered. */
interface Thread {
  readonly worker: Worker
  readonly calls: Map<number, Call>
}

/**
 * A thread that starts with the first call and ends when it has been idle for a while, and with it all the memory its modules took.
 * It keeps the process alive while a call is under way, like libuv's pool, and no longer.
 */
export class NodeThread {
  #thread: Thread | undefined
  #refused = false
  #lastId = 0
  #idle: NodeJS.Timeout | undefined

  readonly call: InThread = async (module, name, input, options) => {
    // A view would be sent with all of the buffer behind it, and what is handed over is gone here: so a copy goes.
    const bytes = await stepwise(copy(input))
    const thread = this.#start()
    if (!thread) return undefined
    clearTimeout(this.#idle)
    const { worker, calls } = thread
    worker.ref()
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      calls.set(id, { resolve, reject })
      worker.postMessage({ id, module, name, input: bytes, options }, [bytes.buffer])
    })
  }

  #start(): Thread | undefined {
    if (this.#thread || this.#refused) return this.#thread
    let worker: Worker
    try {
      worker = new Worker(PROGRAM, { eval: true })
    } catch {
      this.#refused = true // node --permission without --allow-worker
      return undefined
    }
    const calls = new Map<number, Call>()
    const thread: Thread = { worker, calls }
    let useful = false
    worker.on('message', ({ id, output, failure, grown }: Answer) => {
      useful = true
      const call = calls.get(id)
      calls.delete(id)
      if (grown && this.#thread === thread) this.#thread = undefined // takes no more calls
      if (calls.size === 0) this.#rest(thread)
      if (output) call?.resolve(output)
      else call?.reject(new Error(failure))
    })
    worker.on('error', () => {}) // 'exit' follows
    worker.on('exit', () => {
      if (this.#thread === thread) {
        this.#thread = undefined
        // One that never did anything would not the next time: its module cannot be loaded there.
        this.#refused = !useful
      }
      for (const call of calls.values()) call.resolve(undefined)
      calls.clear()
    })
    this.#thread = thread
    return thread
  }

  #rest(thread: Thread): void {
    const { worker } = thread
    if (this.#thread !== thread) {
      void worker.terminate()
      return
    }
    worker.unref()
    this.#idle = setTimeout(() => {
      this.#thread = undefined
      void worker.terminate()
    }, IDLE_MS).unref()
  }
}

function* copy(input: Uint8Array): Generator<void, Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(input.length)
  for (let at = 0; at < input.length; at += STEP_BYTES) {
    bytes.set(input.subarray(at, at + STEP_BYTES), at)
    yield
  }
  return bytes
}
