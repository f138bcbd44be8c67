// npm run demo: a million records through a topic of six partitions and back in a consumer group, every one checked.
//
//   npm run demo                            on the embedded broker, in a process of its own
//   npm run demo -- --bootstrap host:port   on a cluster of yours (the topic is deleted at the end)
//   npm run demo -- --kafka 4.4.0           on a genuine Kafka, started for it (needs Java 17 and Maven)
//   --records N (default 1000000), --json (last line: the figures as one JSON object)
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { TurnMeter, type Turns } from '../bench/turn-meter.ts'
import { Admin } from '../src/admin/index.ts'
import { Client } from '../src/client/index.ts'
import { Consumer } from '../src/consumer/index.ts'
import { KafkaError } from '../src/errors.ts'
import { Producer } from '../src/producer/index.ts'
import { EmbeddedProcess } from '../test/brokers/embedded.ts'
import { JvmCluster } from '../test/brokers/jvm.ts'
import { probe } from '../test/brokers/probe.ts'
import { isKafkaRelease, kafkaReleases } from '../test/java/jars.ts'
import { Ledger, VALUE_BYTES } from './ledger.ts'

const PARTITIONS = 6
const BATCH = 1_000
const IN_FLIGHT = 4

interface Broker {
  readonly kind: string
  readonly version: string
  readonly bootstrapServers: string
  close(): Promise<void>
}

const options = readOptions()
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted(signal))

async function demo(): Promise<void> {
  const broker = await chosenBroker()
  say(`broker: ${broker.kind} ${broker.version} at ${broker.bootstrapServers}`)
  const topic = `kafkawire-demo-${randomBytes(4).toString('hex')}`
  const { bootstrapServers } = broker
  const ledger = new Ledger(options.records)
  const turns = new TurnMeter()
  try {
    await using admin = new Admin({ bootstrapServers })
    await admin.createTopics([{ name: topic, partitions: PARTITIONS }])
    try {
      turns.reset()
      const produceSeconds = await produce(bootstrapServers, topic, ledger)
      const producing = turns.turns()
      turns.reset()
      const consumeSeconds = await consume(bootstrapServers, topic, ledger)
      const consuming = turns.turns()
      report({ broker, produceSeconds, consumeSeconds, producing, consuming, verified: ledger.complete })
      if (!ledger.complete) throw new Error('not every record came back')
    } finally {
      await admin.deleteTopics([topic])
    }
  } finally {
    turns.stop()
    await broker.close()
  }
}

async function produce(bootstrapServers: string, topic: string, ledger: Ledger): Promise<number> {
  // Each send is a thousand records and awaited: a millisecond joins those of the four senders, more would be waited in vain.
  await using producer = new Producer({ bootstrapServers, lingerMs: 1, batchSize: 131_072 })
  await producer.connect()
  const progress = new Progress('produced')
  const started = performance.now()
  let next = 0
  let done = 0
  const worker = async () => {
    while (next < options.records && !stop.signal.aborted) {
      const from = next
      const to = Math.min(from + BATCH, options.records)
      next = to
      await producer.send(ledger.records(topic, from, to))
      progress.at((done += to - from))
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  stop.signal.throwIfAborted()
  return progress.end(done, started)
}

async function consume(bootstrapServers: string, topic: string, ledger: Ledger): Promise<number> {
  // On Ctrl-C, too, `await using` leaves the group: the others need not wait for the session to run out.
  await using consumer = new Consumer({ bootstrapServers, groupId: topic, autoOffsetReset: 'earliest', enableAutoCommit: false })
  stop.signal.addEventListener('abort', () => void consumer.close(), { once: true })
  consumer.subscribe([topic])
  const progress = new Progress('consumed')
  const joining = performance.now()
  let started = joining
  let count = 0
  for await (const batch of consumer.batches()) {
    if (count === 0) {
      started = performance.now()
      say(`joined the group ${topic} and had the first batch after ${(started - joining).toFixed(0)} ms`)
    }
    for (const record of batch) ledger.check(record)
    count += batch.length
    progress.at(count)
    if (count >= options.records) break
  }
  stop.signal.throwIfAborted()
  const seconds = progress.end(count, started)
  await consumer.commit()
  await checkCommits(consumer, topic)
  return seconds
}

async function checkCommits(consumer: Consumer, topic: string): Promise<void> {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }))
  const [committed, ends] = await Promise.all([consumer.committed(partitions), consumer.endOffsets(partitions)])
  for (const partition of partitions) {
    // A partition that no key fell on has nothing to commit.
    const offset = committed.get(partition)?.offset ?? 0n
    if (offset !== ends.get(partition))
      throw new Error(`partition ${partition.partition}: committed ${offset}, end ${ends.get(partition)}`)
  }
}

async function chosenBroker(): Promise<Broker> {
  if (options.bootstrap !== undefined) {
    const release = await releaseAt(options.bootstrap)
    return { kind: 'cluster', version: release, bootstrapServers: options.bootstrap, close: async () => {} }
  }
  if (options.kafka !== undefined) {
    say(`starting Apache Kafka ${options.kafka} …`)
    const cluster = await JvmCluster.start({ version: options.kafka })
    return {
      kind: 'Apache Kafka',
      version: options.kafka,
      bootstrapServers: cluster.bootstrapServers,
      close: () => cluster.close(),
    }
  }
  const embedded = await EmbeddedProcess.start()
  return { kind: 'embedded', version: embedded.probe.release, bootstrapServers: embedded.bootstrapServers, close: embedded.close }
}

/** The release of a cluster, as its answers tell it. The client goes first: its errors say what is wrong with an address. */
async function releaseAt(bootstrapServers: string): Promise<string> {
  await using client = new Client({ bootstrapServers, clientId: 'kafkawire-demo', requestTimeoutMs: 10_000 })
  await client.connect({ timeoutMs: 10_000 })
  const [broker] = client.metadata.brokers()
  if (!broker) throw new Refusal(`the cluster at ${bootstrapServers} names no broker`)
  return (await probe(broker.host, broker.port, 10_000)).release
}

function report(figures: {
  broker: Broker
  produceSeconds: number
  consumeSeconds: number
  producing: Turns
  consuming: Turns
  verified: boolean
}): void {
  const { broker, produceSeconds, consumeSeconds, producing, consuming, verified } = figures
  const cpuMs = Math.max(producing.cpuMs, consuming.cpuMs)
  const clockMs = Math.max(producing.clockMs, consuming.clockMs)
  const perSecond = (seconds: number) => Math.round(options.records / seconds)
  const megabytes = (seconds: number) => ((options.records * VALUE_BYTES) / seconds / 1e6).toFixed(0)
  const thousands = (n: number) => n.toLocaleString('en-US')
  say(`
records          ${thousands(options.records)} of ${VALUE_BYTES} bytes, ${PARTITIONS} partitions
produced         ${thousands(perSecond(produceSeconds))} records/s, ${megabytes(produceSeconds)} MB/s (acks all, idempotent, ${BATCH} records awaited, ${IN_FLIGHT} in flight)
consumed         ${thousands(perSecond(consumeSeconds))} records/s, ${megabytes(consumeSeconds)} MB/s (consumer group, batches, CRC verified, every value checked)
longest turn     ${producing.cpuMs.toFixed(1)} ms of CPU producing, ${consuming.cpuMs.toFixed(1)} ms consuming (${clockMs.toFixed(1)} ms by the clock)
broker           ${broker.kind} ${broker.version}; Node ${process.versions.node}
verified         ${verified ? 'every value, the order per key, the commits' : 'NO'}`)
  if (!options.json) return
  console.log(
    JSON.stringify({
      records: options.records,
      produceSeconds,
      consumeSeconds,
      produceRecordsPerSecond: perSecond(produceSeconds),
      consumeRecordsPerSecond: perSecond(consumeSeconds),
      maxLoopStallMs: Number(cpuMs.toFixed(2)),
      broker: broker.kind,
      brokerVersion: broker.version,
      verified,
    }),
  )
}

/** What a person can put right: told without a stack. */
class Refusal extends Error {}

/** A line every half second while something runs. */
class Progress {
  private readonly what: string
  private shown = performance.now()

  constructor(what: string) {
    this.what = what
  }

  at(count: number): void {
    const now = performance.now()
    if (now - this.shown < 500) return
    this.shown = now
    say(`${this.what} ${count.toLocaleString('en-US')} (${Math.round((100 * count) / options.records)} %)`)
  }

  end(count: number, started: number): number {
    const seconds = (performance.now() - started) / 1000
    say(`${this.what} ${count.toLocaleString('en-US')} in ${seconds.toFixed(2)} s`)
    return seconds
  }
}

function interrupted(signal: 'SIGINT' | 'SIGTERM'): void {
  say(`\n${signal}: leaving the group, cleaning up (once more to end at once)`)
  process.exitCode = signal === 'SIGINT' ? 130 : 143
  process.once(signal, () => process.exit())
  stop.abort(new Error('interrupted'))
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        bootstrap: { type: 'string' },
        kafka: { type: 'string' },
        records: { type: 'string', default: '1000000' },
        json: { type: 'boolean', default: false },
      },
    })
    const records = Number(values.records)
    if (!Number.isInteger(records) || records < 1 || records > 0x7fffffff)
      throw new Error(`--records ${values.records}: give a whole number from 1 on`)
    const { kafka } = values
    if (kafka !== undefined && !isKafkaRelease(kafka))
      throw new Error(`--kafka ${kafka}: can be ${Object.keys(kafkaReleases).join(', ')}`)
    return { bootstrap: values.bootstrap, kafka, records, json: values.json }
  } catch (error) {
    console.error((error as Error).message)
    process.exit(2)
  }
}

function say(line: string): void {
  console.log(line)
}

try {
  await demo()
} catch (error) {
  if (!stop.signal.aborted) {
    console.error(KafkaError.is(error) || error instanceof Refusal ? error.message : error)
    process.exitCode = 1
  }
}
