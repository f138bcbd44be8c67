import { KafkaClient } from '@kafkats/client'
import { measure, servers, topic, VALUE } from './harness.mjs'

const client = new KafkaClient({ clientId: 'bench', brokers: servers.split(',') })
await client.connect?.()
const producer = client.producer({ acks: 'all' })
const value = Buffer.from(VALUE)
await measure('@kafkats/client', {
  make: keys => keys.map(key => ({ key: Buffer.from(key), value })),
  send: messages => producer.send(topic, messages),
  sendOne: key => producer.send(topic, [{ key: Buffer.from(key), value }]),
  close: async () => {
    await producer.disconnect()
    await client.disconnect?.()
  },
})
