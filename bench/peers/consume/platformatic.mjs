import { Consumer } from '@platformatic/kafka'
import { bootstrapServers, Drain, topic, wanted } from '../../consume/drain.ts'

// At its own default of 50 MiB per partition it stalls for seconds; 1 MiB is its best case.
const drain = new Drain('@platformatic/kafka 2.12.1, maxBytes 1 MiB', 'not verified')
const consumer = new Consumer({
  groupId: `bench-${process.pid}-${Date.now()}`,
  clientId: 'bench',
  bootstrapBrokers: bootstrapServers.split(','),
})
const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false, maxBytes: 1 << 20 })
let count = 0
let reported = 0
let touched = 0
stream.on('data', message => {
  touched += message.value[0]
  if (++count % 1_000 !== 1 && count < wanted) return
  drain.add(count - reported, touched)
  reported = count
})
await drain.finished
process.exit(0)
