/** `kafkawire.ts SERVERS TOPIC PARTITIONS RECORDS [batches|records]`: drains a backlog, prints one JSON line. */
import { Consumer } from '../../src/consumer/index.ts'
import { TurnMeter } from '../turn-meter.ts'

const [, , bootstrapServers = '', topic = '', partitions = '1', wanted = '0', mode = 'batches'] = process.argv
const records = Number(wanted)
const consumer = new Consumer({ bootstrapServers, autoOffsetReset: 'earliest' })
consumer.assign(Array.from({ length: Number(partitions) }, (_, partition) => ({ topic, partition })))
await consumer.connect()

const turns = new TurnMeter()
const cpu = process.cpuUsage()
const start = performance.now()
let rss = 0
let count = 0
let sum = 0
const sampled = setInterval(() => {
  rss = Math.max(rss, process.memoryUsage.rss())
}, 20)
turns.reset()
if (mode === 'records') {
  for await (const record of consumer) {
    sum += record.value![0]!
    if (++count >= records) break
  }
} else {
  for await (const batch of consumer.batches()) {
    for (const record of batch) sum += record.value![0]!
    count += batch.length
    if (mode === 'released') batch.release()
    if (count >= records) break
  }
}
const seconds = (performance.now() - start) / 1000
const { user, system } = process.cpuUsage(cpu)
const { cpuMs, clockMs } = turns.turns()
clearInterval(sampled)
turns.stop()
rss = Math.max(rss, process.memoryUsage.rss())
console.log(
  JSON.stringify({
    side: `kafkawire ${mode}`,
    crc: 'verified',
    records: count,
    sum,
    seconds,
    recordsPerSecond: Math.round(count / seconds),
    recordsPerCpuSecond: Math.round(count / ((user + system) / 1e6)),
    stallMs: Math.round(cpuMs),
    stallClockMs: Math.round(clockMs),
    rssMb: Math.round(rss / 2 ** 20),
  }),
)
await consumer.close()
