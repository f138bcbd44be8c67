/** `kafkawire.ts SERVERS TOPIC PARTITIONS RECORDS batches|released|records` */
import { Consumer } from '../../src/consumer/index.ts'
import { bootstrapServers, Drain, mode, partitions, topic, wanted } from './drain.ts'

const consumer = new Consumer({ bootstrapServers, autoOffsetReset: 'earliest' })
consumer.assign(Array.from({ length: partitions }, (_, partition) => ({ topic, partition })))
const drain = new Drain(`kafkawire, ${mode}`, 'verified')

if (mode === 'records') {
  let touched = 0
  let count = 0
  let reported = 0
  for await (const record of consumer) {
    touched += record.value?.[0] ?? 0
    if (++count % 1_000 !== 1 && count < wanted) continue
    if (drain.add(count - reported, touched)) break
    reported = count
  }
} else {
  for await (const batch of consumer.batches()) {
    let touched = 0
    for (const record of batch) touched += record.value?.[0] ?? 0
    const { length } = batch
    if (mode === 'released') batch.release()
    if (drain.add(length, touched)) break
  }
}
await consumer.close()
