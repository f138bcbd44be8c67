import { createKafkaClient } from 'kafka-ts'
import { bootstrapServers, Drain, topic } from '../../consume/drain.ts'

const [host, port] = bootstrapServers.split(':')
const drain = new Drain('kafka-ts 1.5.0, onBatch', 'not verified')
const kafka = createKafkaClient({ clientId: 'bench', bootstrapServers: [{ host, port: Number(port) }] })
await kafka.startConsumer({
  topics: [topic],
  groupId: null,
  fromTimestamp: -2n,
  onBatch: messages => {
    let touched = 0
    for (const message of messages) touched += message.value.charCodeAt(0)
    drain.add(messages.length, touched)
  },
})
await drain.finished
process.exit(0)
