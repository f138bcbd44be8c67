/** `kafkawire.ts SERVERS TOPIC PARTITIONS RECORDS [batches|singles|enqueue]`: produces 10 B keys and 100 B values, prints one JSON line. */
import { Producer } from '../../src/producer/index.ts'
import { TurnMeter } from '../turn-meter.ts'

const [, , bootstrapServers = '', topic = '', , wanted = '0', mode = 'batches'] = process.argv
const records = Number(wanted)
const keys = Array.from({ length: 10_000 }, (_, i) => Buffer.from(String(i).padStart(10, '0')))
const value = Buffer.alloc(100, 'v')
const producer = new Producer({ bootstrapServers })
const batches = Array.from({ length: 10 }, (_, batch) =>
  keys.slice(batch * 1_000, (batch + 1) * 1_000).map(key => ({ topic, key, value })),
)

let sent = 0
/** Awaited batches of 1,000, four in flight. */
async function inBatches(count: number): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < count) {
      const batch = batches[(next / 1_000) % 10]!
      next += 1_000
      const results = await producer.send(batch)
      sent += results.length
    }
  }
  await Promise.all([worker(), worker(), worker(), worker()])
}
/** Ten thousand promises at a time. */
async function asSingles(count: number): Promise<void> {
  for (let done = 0; done < count; done += 10_000) {
    const results = await Promise.all(keys.map(key => producer.send({ topic, key, value })))
    sent += results.length
  }
}
/** No promise per record. */
async function enqueued(count: number): Promise<void> {
  for (let i = 0; i < count; i++, sent++) {
    if (!producer.enqueue({ topic, key: keys[i % 10_000]!, value })) await producer.drained()
  }
  await producer.flush()
}
const run = mode === 'singles' ? asSingles : mode === 'enqueue' ? enqueued : inBatches

await run(Math.min(records, 100_000))
const turns = new TurnMeter()
let rss = 0
const sampled = setInterval(() => {
  rss = Math.max(rss, process.memoryUsage.rss())
}, 20)
sent = 0
const cpu = process.cpuUsage()
const start = performance.now()
turns.reset()
await run(records)
const seconds = (performance.now() - start) / 1000
const { user, system } = process.cpuUsage(cpu)
const { cpuMs, clockMs } = turns.turns()
clearInterval(sampled)
turns.stop()
console.log(
  JSON.stringify({
    side: `kafkawire ${mode}`,
    records: sent,
    seconds,
    recordsPerSecond: Math.round(sent / seconds),
    recordsPerCpuSecond: Math.round(sent / ((user + system) / 1e6)),
    stallMs: Math.round(cpuMs),
    stallClockMs: Math.round(clockMs),
    rssMb: Math.round(rss / 2 ** 20),
  }),
)
await producer.close()
