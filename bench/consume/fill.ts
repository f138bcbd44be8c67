/** `fill.ts SERVERS TOPIC PARTITIONS RECORDS VALUE_BYTES`: prepares a backlog. */
import { Admin } from '../../src/admin/index.ts'
import { Producer } from '../../src/producer/index.ts'

const [, , bootstrapServers = '', topic = '', partitions = '1', wanted = '0', valueBytes = '100'] = process.argv
const records = Number(wanted)
await using admin = new Admin({ bootstrapServers })
await admin.createTopics([{ name: topic, partitions: Number(partitions) }])
await using producer = new Producer({ bootstrapServers, batchSize: 131_072, lingerMs: 5 })
const value = Buffer.alloc(Number(valueBytes), 'kafkawire benchmark value ')
let next = 0
const worker = async () => {
  while (next < records) {
    const from = next
    next = Math.min(next + 1_000, records)
    await producer.send(
      Array.from({ length: next - from }, (_, i) => ({
        topic,
        partition: ((from / 1_000 + i) % Number(partitions)) | 0,
        key: Buffer.from(String(from + i).padStart(10, '0')),
        value,
      })),
    )
  }
}
await Promise.all([worker(), worker(), worker(), worker()])
