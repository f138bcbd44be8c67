import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { NodeThread } from '../../src/runtime/node-thread.ts'

const threads: Worker[] = vi.hoisted(() => [])
vi.mock('node:worker_threads', async importOriginal => {
  const original = await importOriginal<typeof import('node:worker_threads')>()
  class Noted extends original.Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args)
      threads.push(this)
    }
  }
  return { ...original, Worker: Noted }
})

const moduleOf = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`
const MODULE = moduleOf(`
let factor
export const init = async () => { factor = 2 }
export const scaled = (input, options) => input.map(byte => byte * factor * options.by)
export const failing = () => { throw new RangeError('not these bytes') }
export const dying = () => process.exit()
const memory = new WebAssembly.Memory({ initial: 0 })
export const growing = (input, megabytes) => {
  memory.grow(megabytes * 16)
  if (input[0] === 0) throw new RangeError('grown for nothing')
  return input
}
`)
const IDLE_MS = 5_000

let thread: NodeThread
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  thread = new NodeThread()
})
afterEach(async () => {
  vi.useRealTimers()
  await Promise.all(threads.splice(0).map(each => each.terminate()))
})

describe('a thread beside the loop', () => {
  test('does what a module exports, after its init(), with a copy of a part of a buffer', async () => {
    const buffer = Uint8Array.of(1, 2, 3, 4)
    const calls = [1, 2, 3].map(by => thread.call(MODULE, 'scaled', buffer.subarray(1, 3), { by }))
    expect(await Promise.all(calls)).toEqual([Uint8Array.of(4, 6), Uint8Array.of(8, 12), Uint8Array.of(12, 18)])
    expect(buffer).toEqual(Uint8Array.of(1, 2, 3, 4))
    expect(threads.length).toBe(1)
  })

  test('a large input arrives whole', async () => {
    const input = Buffer.alloc(5_000_001, 'abc')
    const output = await thread.call(MODULE, 'scaled', input, { by: 0.5 })
    expect(input.equals(output!)).toBe(true)
  })

  test('what the function throws is an error of that call alone', async () => {
    const failing = thread.call(MODULE, 'failing', Uint8Array.of(1), undefined)
    const other = thread.call(MODULE, 'scaled', Uint8Array.of(1), { by: 1 })
    await expect(failing).rejects.toThrow('not these bytes')
    expect(await other).toEqual(Uint8Array.of(2))
  })

  test('when it dies its calls come back undone, and the next call has a new one', async () => {
    expect(await thread.call(MODULE, 'scaled', Uint8Array.of(1), { by: 1 })).toEqual(Uint8Array.of(2))
    const undone = ['dying', 'scaled'].map(name => thread.call(MODULE, name, Uint8Array.of(1), { by: 1 }))
    expect(await Promise.all(undone)).toEqual([undefined, undefined])
    expect(await thread.call(MODULE, 'scaled', Uint8Array.of(1), { by: 3 })).toEqual(Uint8Array.of(6))
    expect(threads.length).toBe(2)
  })

  test('a module that cannot be loaded there is not tried twice', async () => {
    const missing = moduleOf(`throw new Error('not here')`)
    expect(await thread.call(missing, 'scaled', Uint8Array.of(1), undefined)).toBeUndefined()
    expect(await thread.call(missing, 'scaled', Uint8Array.of(1), undefined)).toBeUndefined()
    expect(threads.length).toBe(1)
  })

  test('it ends when nobody has called for a while', async () => {
    await thread.call(MODULE, 'scaled', Uint8Array.of(1), { by: 1 })
    vi.advanceTimersByTime(IDLE_MS - 1)
    await thread.call(MODULE, 'scaled', Uint8Array.of(1), { by: 1 })
    vi.advanceTimersByTime(IDLE_MS - 1)
    expect(threads[0]!.threadId).toBeGreaterThan(0)
    const exited = once(threads[0]!, 'exit')
    vi.advanceTimersByTime(1)
    await exited
    expect(await thread.call(MODULE, 'scaled', Uint8Array.of(1), { by: 1 })).toEqual(Uint8Array.of(2))
    expect(threads.length).toBe(2)
  })
})

test.each([1, 0])(
  'a thread whose modules grew large ends as soon as it has nothing to do, and its memory with it (%i)',
  async first => {
    vi.useRealTimers()
    const roomy = new NodeThread()
    await roomy.call(MODULE, 'growing', Uint8Array.of(1), 10)
    const growing = roomy.call(MODULE, 'growing', Uint8Array.of(first), 100)
    const asked = roomy.call(MODULE, 'scaled', Uint8Array.of(1), { by: 1 })
    if (first) expect(await growing).toEqual(Uint8Array.of(1))
    else await expect(growing).rejects.toThrow('grown for nothing')
    const exited = once(threads[0]!, 'exit')
    const later = roomy.call(MODULE, 'scaled', Uint8Array.of(1), { by: 2 })
    expect(await asked).toEqual(Uint8Array.of(2))
    await exited
    expect(await later).toEqual(Uint8Array.of(4))
    expect(threads.length).toBe(2)
  },
)

test('a process lives until the last call is answered, and not longer', async () => {
  // Without its timers the thread is never ended: only what keeps the process alive counts.
  const program = `
    import { NodeThread } from ${JSON.stringify(join(import.meta.dirname, '../../src/runtime/node-thread.ts'))}
    globalThis.setTimeout = () => ({ unref() { return this } })
    const thread = new NodeThread()
    thread.call(${JSON.stringify(MODULE)}, 'scaled', Uint8Array.of(1), { by: 2 }).then(output => console.log(output[0]))
  `
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program])
  expect(stdout.trim()).toBe('4')
})
