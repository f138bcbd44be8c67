process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1'
const { Kafka } = (await import('kafkajs')).default

import { measure, servers, topic, VALUE } from './harness.mjs'

const producer = new Kafka({ brokers: servers.split(','), logLevel: 1 }).producer({ idempotent: false })
await producer.connect()
const value = Buffer.from(VALUE)
await measure('kafkajs', {
  make: keys => keys.map(key => ({ key: Buffer.from(key), value })),
  send: messages => producer.send({ topic, messages, acks: -1 }),
  sendOne: key => producer.send({ topic, messages: [{ key, value }], acks: -1 }),
  close: () => producer.disconnect(),
})
