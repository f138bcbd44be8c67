// Clients come and go by the thousand over real sockets; nothing of them may stay: heap, sockets, timers, listeners.
import { execFile } from 'node:child_process'
import type { EventEmitter } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, onTestFinished, test } from 'vitest'
import { Admin } from '../../src/admin/index.ts'
import { startBroker } from '../../src/broker/index.ts'
import { Client } from '../../src/client/index.ts'
import { Consumer } from '../../src/consumer/index.ts'
import { Producer } from '../../src/producer/index.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { EmbeddedProcess } from '../brokers/embedded.ts'
import { WatchedRuntime } from './watched-runtime.ts'

/** Lives at the same time. */
const LANES = 25

interface Footprint {
  readonly heapBytes: number
  readonly resources: Readonly<Record<string, number>>
  readonly timers: number
  readonly connections: number
  readonly listeners: number
}

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void
const turn = () => new Promise<void>(resolve => setImmediate(resolve))

/** What is there once everything that was told to end has ended. */
async function footprint(watched: WatchedRuntime, settled: () => boolean): Promise<Footprint> {
  while (!settled()) await turn()
  for (let i = 0; i < 3; i++) {
    await turn()
    gc()
  }
  const resources: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1
  // Vitest's own timers and its channel to the runner come and go.
  for (const own of ['Timeout', 'Immediate', 'MessagePort', 'FSReqPromise', 'FSReqCallback']) delete resources[own]
  const emitters: EventEmitter[] = [process, process.stdout, process.stderr]
  const listeners = emitters.flatMap(emitter => emitter.eventNames().map(name => emitter.listenerCount(name)))
  return {
    heapBytes: process.memoryUsage().heapUsed,
    resources,
    timers: watched.timers,
    connections: watched.connections,
    listeners: listeners.reduce((sum, count) => sum + count, 0),
  }
}

/** `count` lives, some side by side; what they leave behind once `warmUp` others have gone before. */
async function expectNothingLeft(
  name: string,
  watched: WatchedRuntime,
  { count, warmUp, bytesEach }: { count: number; warmUp: number; bytesEach: number },
  live: (lane: number) => Promise<void>,
): Promise<void> {
  const warnings: Error[] = []
  const unhandled: unknown[] = []
  const warned = (warning: Error) => warnings.push(warning)
  const rejected = (error: unknown) => unhandled.push(error)
  process.on('warning', warned).on('unhandledRejection', rejected)
  onTestFinished(() => void process.off('warning', warned).off('unhandledRejection', rejected))
  const { timers, connections } = watched
  const settled = () => watched.connections === connections && watched.timers === timers
  const lives = (total: number) =>
    Promise.all(
      Array.from({ length: LANES }, async (_, lane) => {
        for (let i = lane; i < total; i += LANES) await live(lane)
      }),
    )
  await lives(warmUp)
  const before = await footprint(watched, settled)
  const dialledBefore = watched.dialled
  const start = performance.now()
  await lives(count)
  const seconds = (performance.now() - start) / 1_000
  const after = await footprint(watched, settled)
  const bytes = (after.heapBytes - before.heapBytes) / count
  console.log(
    `${count} ${name}: ${watched.dialled - dialledBefore} connections in ${seconds.toFixed(1)} s; ` +
      `heap ${(before.heapBytes / 1e6).toFixed(1)} -> ${(after.heapBytes / 1e6).toFixed(1)} MB (${bytes.toFixed(0)} bytes each), ` +
      `open: ${after.connections} connections, ${after.timers} timers, ${JSON.stringify(after.resources)}, ${after.listeners} listeners`,
  )
  expect(warnings).toEqual([])
  expect(unhandled).toEqual([])
  expect({ ...after, heapBytes: 0 }).toEqual({ ...before, heapBytes: 0 })
  expect(bytes).toBeLessThan(bytesEach)
}

test('10,000 clients, and the broker they were connected to', async () => {
  const watched = new WatchedRuntime(nodeRuntime)
  await using broker = await startBroker({ topics: { t: 1 }, runtime: watched.runtime })
  const { bootstrapServers } = broker
  await expectNothingLeft('clients', watched, { count: 10_000, warmUp: 2_000, bytesEach: 100 }, async () => {
    const client = new Client({ bootstrapServers }, watched.runtime)
    await client.connect()
    await client.close()
  })
}, 300_000)

test('producers, consumers, members of a group and administrators', async () => {
  const watched = new WatchedRuntime(nodeRuntime)
  const { runtime } = watched
  // Records and groups are the broker's to keep: its memory is another process's.
  const broker = await EmbeddedProcess.start({ topics: { t: 1 }, config: { 'group.initial.rebalance.delay.ms': '0' } })
  onTestFinished(() => broker.close())
  const { bootstrapServers } = broker
  // Code that gets warm only now counts as well, up to 0.8 MB: one lost buffer or timer per life would be more.
  const few = { count: 600, warmUp: 500, bytesEach: 3_000 }
  await expectNothingLeft('producers', watched, few, async () => {
    const producer = new Producer({ bootstrapServers, lingerMs: 0 }, runtime)
    await producer.send({ topic: 't', value: Buffer.from('v') })
    await producer.close()
  })
  await expectNothingLeft('consumers', watched, few, async () => {
    const consumer = new Consumer({ bootstrapServers, autoOffsetReset: 'earliest' }, runtime)
    consumer.assign([{ topic: 't', partition: 0 }])
    expect((await consumer.poll({ timeoutMs: 10_000, maxRecords: 1 })).isEmpty).toBe(false)
    await consumer.close()
  })
  await expectNothingLeft('members of groups', watched, few, async lane => {
    const consumer = new Consumer({ bootstrapServers, groupId: `g${lane}`, autoOffsetReset: 'earliest' }, runtime)
    consumer.subscribe('t')
    expect((await consumer.poll({ timeoutMs: 10_000, maxRecords: 1 })).isEmpty).toBe(false)
    await consumer.close()
  })
  await expectNothingLeft('administrators', watched, few, async () => {
    const admin = new Admin({ bootstrapServers }, runtime)
    await admin.describeTopics(['t'])
    await admin.close()
  })
}, 300_000)

const root = join(import.meta.dirname, '../..')

/** Runs a program in a process of its own, which has to end by itself. */
async function output(program: string): Promise<string> {
  const args = ['--import', 'tsx', '--input-type=module', '-e', program]
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: root, timeout: 60_000 })
  expect(stderr).toBe('')
  return stdout.trim()
}

const everything = `
  import { Admin } from './src/admin/index.ts'
  import { startBroker } from './src/broker/index.ts'
  import { Client } from './src/client/index.ts'
  import { Consumer } from './src/consumer/index.ts'
  import { Producer } from './src/producer/index.ts'
  const broker = await startBroker({ topics: { t: 2 } })
  const { bootstrapServers } = broker
  const client = new Client({ bootstrapServers })
  await client.connect()
  const admin = new Admin({ bootstrapServers })
  await admin.listTopics()
  const producer = new Producer({ bootstrapServers })
  await producer.send({ topic: 't', value: Buffer.from('v') })
  const consumer = new Consumer({ bootstrapServers, groupId: 'g', autoOffsetReset: 'earliest' })
  consumer.subscribe('t')
  if ((await consumer.poll({ timeoutMs: 20_000 })).isEmpty) throw new Error('nothing was read')
`

test('a process ends by itself once its clients are closed', async () => {
  const program = `${everything}
    await Promise.all([consumer, producer, admin, client].map(each => each.close()))
    await broker.close()
    for (let i = 0; i < 3; i++) await new Promise(resolve => setImmediate(resolve))
    const passing = ['PipeWrap', 'FSReqCallback'] // the output; a file that tsx looks at
    console.log(JSON.stringify(process.getActiveResourcesInfo().filter(name => !passing.includes(name))))
  `
  expect(await output(program)).toBe('[]')
}, 90_000)

test('a process ends by itself when its clients are closed while the brokers are gone', async () => {
  const program = `${everything}
    await broker.close()
    const pending = [producer.send({ topic: 't', value: Buffer.from('w') }), client.request((await import('./src/protocol/apis/index.ts')).Metadata, { topics: [] })]
    const outcomes = Promise.allSettled(pending)
    await Promise.all([consumer, producer, admin, client].map(each => each.close({ timeoutMs: 500 })))
    console.log((await outcomes).map(({ status }) => status).join())
  `
  expect(await output(program)).toBe('rejected,rejected')
}, 90_000)
