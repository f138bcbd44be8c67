import { createKafkaClient } from 'kafka-ts'
import { measure, servers, topic, VALUE } from './harness.mjs'

const [host, port] = servers.split(',')[0].split(':')
const producer = createKafkaClient({ clientId: 'bench', bootstrapServers: [{ host, port: Number(port) }] }).createProducer({})
await measure('kafka-ts', {
  make: keys => keys.map(key => ({ topic, key, value: VALUE })),
  send: messages => producer.send(messages),
  sendOne: key => producer.send([{ topic, key, value: VALUE }]),
  close: () => producer.close(),
})
