import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { NEXT_STATES } from '../../src/net/connection-state.ts'
import { SOFTWARE_NAME, SOFTWARE_VERSION } from '../../src/net/software.ts'
import { ApiVersions, Heartbeat } from '../../src/protocol/apis/index.ts'
import { simulated, sleep } from './connecting.ts'
import type { Reaction } from './scripted-broker.ts'

const beat = { groupId: 'g', generationId: 1, memberId: 'm' }

test('brokers are told the name and version of this package', () => {
  expect({ name: SOFTWARE_NAME, version: SOFTWARE_VERSION }).toEqual({ name: packageJson.name, version: packageJson.version })
})

test('closed is the end of every path, and nothing leads out of it', () => {
  expect(NEXT_STATES.closed).toEqual([])
  for (const [state, next] of Object.entries(NEXT_STATES)) if (state !== 'closed') expect(next, state).toContain('closed')
})

test('wherever close or destroy comes, every promise settles and nothing is left', async () => {
  const unhandled: unknown[] = []
  const note = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', note)
  const states = new Set<string>()
  for (let seed = 1; seed <= 300; seed++) {
    await simulated(
      async ({ broker, connect, runtime }) => {
        broker.script = async ({ api }): Promise<Reaction> => {
          await sleep(runtime, 1 + runtime.random() * 10)
          // Some seeds run through the second dialling as well.
          if (api === ApiVersions && seed % 3 === 0 && broker.connections === 1) return 'close'
          return runtime.random() < 0.05 ? 'close' : 'default'
        }
        const connection = connect({ maxInFlight: 2 })
        const requests = Array.from({ length: 6 }, () => connection.request(Heartbeat, beat))
        const settled = Promise.allSettled([...requests, connection.connect()])
        await sleep(runtime, seed / 4)
        states.add(connection.state)
        if (seed % 2) connection.destroy()
        await connection.close()
        const results = await settled
        expect(connection.state).toBe('closed')
        for (const result of results) {
          if (result.status === 'rejected') expect(result.reason.code).toMatch(/^ERR_(CLOSED|CONNECTION)$/)
        }
        await sleep(runtime, 50)
        expect(broker.openConnections).toBe(0)
        expect(runtime.clock.pending).toBe(0)
      },
      { seed, network: { jitterMs: 3, splitChance: 0.2 } },
    )
  }
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
  expect([...states]).toEqual(expect.arrayContaining(['connecting', 'negotiating', 'ready']))
})

test('ten thousand connections later, nothing of them is left in memory', async () => {
  const gc = globalThis.gc ?? (await exposedGc())
  await simulated(
    async ({ broker, connect, runtime }) => {
      broker.apiKeys = broker.apiKeys.filter(({ apiKey }) => apiKey === ApiVersions.key || apiKey === Heartbeat.key)
      const cycles = async (count: number) => {
        for (let i = 0; i < count; i++) {
          const connection = connect()
          await connection.request(Heartbeat, beat)
          await connection.close()
        }
        await sleep(runtime, 100)
        // What the script itself remembers is not the connection's.
        broker.received.length = 0
        broker.transports.length = 0
        gc()
        return process.memoryUsage().heapUsed
      }
      await cycles(1_000)
      const before = await cycles(1_000)
      const after = await cycles(10_000)
      expect((after - before) / 10_000).toBeLessThan(100)
      expect(runtime.hosts.openConnections).toBe(0)
      expect(runtime.clock.pending).toBe(0)
    },
    { maxTraceEntries: 0 },
  )
}, 60_000)

async function exposedGc(): Promise<() => void> {
  const { setFlagsFromString } = await import('node:v8')
  const { runInNewContext } = await import('node:vm')
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

test('a process ends by itself once its connection is closed', async () => {
  const program = `
    import { createServer } from 'node:net'
    import { Connection } from './src/net/connection.ts'
    import { nodeRuntime } from './src/runtime/node.ts'
    import { silent } from './src/util/logger.ts'
    import { ScriptedBroker } from './test/net/scripted-broker.ts'
    import { Heartbeat } from './src/protocol/apis/12-heartbeat.ts'
    const broker = await new ScriptedBroker().listen()
    const connection = new Connection({ host: '127.0.0.1', port: broker.port, clientId: null, connectTimeoutMs: 60000, requestTimeoutMs: 60000,
      maxResponseBytes: 1000000, maxInFlight: 5, logger: silent }, nodeRuntime)
    await connection.request(Heartbeat, { groupId: 'g', generationId: 1, memberId: 'm' })
    await connection.close()
    await broker[Symbol.asyncDispose]()
    console.log('closed')
  `
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    cwd: join(import.meta.dirname, '../..'),
    timeout: 30_000,
  })
  expect(stdout.trim()).toBe('closed')
}, 60_000)
