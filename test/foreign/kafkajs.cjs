// Produces, consumes in a group, commits and lists topics; prints what it saw as one line of JSON.
const { Kafka, logLevel } = require(process.argv[2])
const { bootstrapServers, topic, count, user, password, mechanism } = JSON.parse(process.argv[3])

async function main() {
  const sasl = user && { mechanism: mechanism.toLowerCase(), username: user, password }
  const kafka = new Kafka({ brokers: bootstrapServers.split(','), logLevel: logLevel.ERROR, ...(sasl && { sasl }) })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: 3 }] })
  const producer = kafka.producer({ idempotent: true })
  await producer.connect()
  const messages = Array.from({ length: count }, (_, i) => ({ key: `k${i}`, value: `v${i}` }))
  await producer.send({ topic, messages })
  await producer.disconnect()
  const consumer = kafka.consumer({ groupId: topic })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const values = []
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
    consumer.run({
      eachMessage: async ({ message }) => {
        values.push(message.value.toString())
        if (values.length === count) resolve()
      },
    })
  })
  await consumer.disconnect()
  console.log(JSON.stringify({ values, topics: (await admin.listTopics()).sort() }))
  await admin.disconnect()
}

main().catch(error => {
  console.error(error)
  process.exit(1)
})
