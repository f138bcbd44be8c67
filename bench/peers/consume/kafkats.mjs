import { KafkaClient } from '@kafkats/client'
import { bootstrapServers, Drain, topic } from '../../consume/drain.ts'

const drain = new Drain('@kafkats/client 0.12.0, runBatch', 'verified (native addon)')
const client = new KafkaClient({ brokers: bootstrapServers.split(','), clientId: 'bench' })
await client.connect()
const consumer = client.consumer({
  groupId: `bench-${process.pid}-${Date.now()}`,
  autoOffsetReset: 'earliest',
  maxRecords: 100_000,
})
void consumer.runBatch(
  topic,
  async messages => {
    let touched = 0
    for (const message of messages) touched += message.value[0]
    drain.add(messages.length, touched)
  },
  { autoCommit: false, partitionConcurrency: 6 },
)
await drain.finished
process.exit(0)
