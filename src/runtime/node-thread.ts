import { Worker } from 'node:worker_threads'
import type { InThread } from './runtime.ts'
import { stepwise } from './stepwise.ts'

/** How long the thread stays when nobody calls. */
const IDLE_MS = 5_000
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
    try {
      const output = exports[name](input, options)
      parentPort.postMessage({ id, output }, [output.buffer])
    } catch (error) {
      parentPort.postMessage({ id, failure: String(error?.message ?? error) })
    }
  })
})`

interface Answer {
  readonly id: number
  readonly output?: Uint8Array
  readonly failure?: string
}
interface Call {
  resolve(output: Uint8Array | undefined): void
  reject(error: Error): void
}

/**
 * A thread that starts with the first call and ends when it has been idle for a while, and with it all the memory its modules took.
 * It keeps the process alive while a call is under way, like libuv's pool, and no longer.
 */
export class NodeThread {
  #worker: Worker | undefined
  #refused = false
  #lastId = 0
  #idle: NodeJS.Timeout | undefined
  readonly #calls = new Map<number, Call>()

  readonly call: InThread = async (module, name, input, options) => {
    // A view would be sent with all of the buffer behind it, and what is handed over is gone here: so a copy goes.
    const bytes = await stepwise(copy(input))
    const worker = this.#start()
    if (!worker) return undefined
    clearTimeout(this.#idle)
    worker.ref()
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject })
      worker.postMessage({ id, module, name, input: bytes, options }, [bytes.buffer])
    })
  }

  #start(): Worker | undefined {
    if (this.#worker || this.#refused) return this.#worker
    let worker: Worker
    try {
      worker = new Worker(PROGRAM, { eval: true })
    } catch {
      this.#refused = true // node --permission without --allow-worker
      return undefined
    }
    let useful = false
    worker.on('message', ({ id, output, failure }: Answer) => {
      useful = true
      const call = this.#calls.get(id)
      this.#calls.delete(id)
      if (this.#calls.size === 0) this.#rest(worker)
      if (output) call?.resolve(output)
      else call?.reject(new Error(failure))
    })
    worker.on('error', () => {}) // 'exit' follows
    worker.on('exit', () => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      // One that never did anything would not the next time: its module cannot be loaded there.
      this.#refused = !useful
      for (const call of this.#calls.values()) call.resolve(undefined)
      this.#calls.clear()
    })
    this.#worker = worker
    return worker
  }

  #rest(worker: Worker): void {
    worker.unref()
    this.#idle = setTimeout(() => {
      this.#worker = undefined
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
