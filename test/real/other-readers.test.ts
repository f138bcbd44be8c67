// What other makers' tools make of compressed batches on a genuine broker, and what we make of theirs.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Admin } from '../../src/admin/index.ts'
import { Consumer } from '../../src/consumer/index.ts'
import { Producer } from '../../src/producer/index.ts'
import type { Codec } from '../../src/protocol/records/index.ts'
import { JvmCluster } from '../brokers/jvm.ts'
import { clientFor, run } from '../foreign/toolbox.ts'
import { kafkaToolsClasspath } from '../java/java.ts'

const CODECS: readonly Codec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
/** Text, since both tools print lines; some of it long enough to be worth compressing. */
const records = Array.from({ length: 500 }, (_, i) => ({ key: `key-${i % 50}`, value: `${i} ${'größe '.repeat(i % 60)}.` }))
const lines = records.map(({ key, value }) => `${key}\t${value}`)

let cluster: JvmCluster
beforeAll(async () => {
  cluster = await JvmCluster.start()
})
afterAll(() => cluster?.close())

async function created(topic: string): Promise<string> {
  await using admin = new Admin({ bootstrapServers: cluster.listeners.plaintext })
  await admin.createTopics([{ name: topic, partitions: 1, replicationFactor: 1 }])
  return topic
}

/** The lines of a topic as our consumer reads them, and the codecs of its batches as they lie in the log. */
async function readByUs(topic: string): Promise<{ lines: string[]; codecs: Set<Codec> }> {
  await using consumer = new Consumer({ bootstrapServers: cluster.listeners.plaintext, autoOffsetReset: 'earliest' })
  consumer.assign([{ topic, partition: 0 }])
  const read: string[] = []
  const codecs = new Set<Codec>()
  for await (const batch of consumer.batches()) {
    for (const { records } of batch.segments) codecs.add(records.encoded.codec)
    for (const { key, value } of batch) read.push(`${key}\t${value}`)
    if (read.length >= records.length) break
  }
  return { lines: read, codecs }
}

describe.each(CODECS)('%s', codec => {
  const ours = `ours-${codec}`
  beforeAll(async () => {
    await created(ours)
    await using producer = new Producer({ bootstrapServers: cluster.listeners.plaintext, compression: codec, lingerMs: 20 })
    await producer.send(
      records.map(({ key, value }) => ({ topic: ours, partition: 0, key: Buffer.from(key), value: Buffer.from(value) })),
    )
  })

  test('lies in the log as it was written', async () => {
    expect(await readByUs(ours)).toEqual({ lines, codecs: new Set([codec]) })
  })

  test('written by us, read by Java’s console consumer', async () => {
    const java = { command: 'java', args: ['-Xmx256m', '-XX:+UseSerialGC', '-cp', await kafkaToolsClasspath()] }
    const output = await run(java, [
      'org.apache.kafka.tools.consumer.ConsoleConsumer',
      ...['--bootstrap-server', cluster.listeners.plaintext, '--topic', ours, '--from-beginning'],
      ...['--max-messages', String(records.length), '--timeout-ms', '30000'],
      ...['--formatter-property', 'print.key=true', '--command-property', 'check.crcs=true'],
    ])
    expect(output.trimEnd().split('\n')).toEqual(lines)
  })

  test('written by us, read by kcat', async context => {
    const kcat = await clientFor('kcat', context)
    const output = await run(kcat, [
      ...['-C', '-b', cluster.listeners.plaintext, '-t', ours, '-o', 'beginning', '-e', '-q'],
      ...['-K', '\t', '-X', 'check.crcs=true'],
    ])
    expect(output.trimEnd().split('\n')).toEqual(lines)
  })

  test('written by kcat, read by us', async context => {
    const kcat = await clientFor('kcat', context)
    const topic = await created(`kcat-${codec}`)
    const to = ['-P', '-b', cluster.listeners.plaintext, '-t', topic, '-p', '0', '-K', '\t', '-z', codec]
    // In one batch: librdkafka leaves one of a few records as it is where compression would not make it smaller.
    const whole = ['-X', 'linger.ms=10000', '-X', `batch.num.messages=${lines.length}`]
    await run(kcat, [...to, ...whole], { input: `${lines.join('\n')}\n` })
    expect(await readByUs(topic)).toEqual({ lines, codecs: new Set([codec]) })
  })
})
