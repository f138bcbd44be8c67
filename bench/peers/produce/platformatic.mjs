import { compatibilityPartitioner, ProduceAcks, Producer } from '@platformatic/kafka'
import { measure, servers, topic, VALUE } from './harness.mjs'

const producer = new Producer({ clientId: 'bench', bootstrapBrokers: servers.split(','), partitioner: compatibilityPartitioner })
const value = Buffer.from(VALUE)
const acks = ProduceAcks.ALL
await measure('@platformatic/kafka', {
  make: keys => keys.map(key => ({ topic, key: Buffer.from(key), value })),
  send: messages => producer.send({ messages, acks }),
  sendOne: key => producer.send({ messages: [{ topic, key: Buffer.from(key), value }], acks }),
  close: () => producer.close(),
})
