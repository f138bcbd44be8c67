import { Kafka, logLevel } from 'kafkajs'
import { bootstrapServers, Drain, topic } from '../../consume/drain.ts'

const drain = new Drain('kafkajs 2.2.4, eachBatch', 'not verified')
const kafka = new Kafka({ clientId: 'bench', brokers: bootstrapServers.split(','), logLevel: logLevel.NOTHING })
const consumer = kafka.consumer({ groupId: `bench-${process.pid}-${Date.now()}` })
await consumer.connect()
await consumer.subscribe({ topics: [topic], fromBeginning: true })
await consumer.run({
  autoCommit: false,
  eachBatch: async ({ batch }) => {
    let touched = 0
    for (const message of batch.messages) touched += message.value[0]
    drain.add(batch.messages.length, touched)
  },
})
await drain.finished
process.exit(0)
