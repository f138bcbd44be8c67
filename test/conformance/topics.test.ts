import { describe, expect, test } from 'vitest'
import { brokerIsAtLeast, uniqueName } from '../brokers/broker-under-test.ts'
import { cluster } from './cluster.ts'

describe('the life of a topic', () => {
  test('created, listed, described, deleted, gone', async () => {
    const { admin: connect } = await cluster()
    const admin = connect()
    const name = uniqueName('life')
    await admin.createTopics([{ name, partitions: 4, replicationFactor: 1 }])
    expect((await admin.listTopics()).map(topic => topic.name)).toContain(name)
    const description = (await admin.describeTopics([name])).get(name)!
    expect(description.partitions.map(({ partition }) => partition)).toEqual([0, 1, 2, 3])
    for (const { leaderId, replicas, isr } of description.partitions) {
      expect(replicas).toContain(leaderId)
      expect(isr).toEqual(replicas)
    }
    await admin.deleteTopics([name])
    await expect.poll(async () => (await admin.listTopics()).map(topic => topic.name), { timeout: 30_000 }).not.toContain(name)
  })

  test('a topic that exists cannot be created again, and the others of the call are', async () => {
    const { admin: connect, topic } = await cluster()
    const admin = connect()
    const existing = await topic('existing')
    const fresh = uniqueName('fresh')
    const call = admin.createTopics([
      { name: existing, partitions: 1, replicationFactor: 1 },
      { name: fresh, partitions: 1, replicationFactor: 1 },
    ])
    await expect(call).rejects.toThrow(existing)
    await expect.poll(async () => (await admin.listTopics()).map(each => each.name), { timeout: 30_000 }).toContain(fresh)
  })

  test('a name that Kafka forbids is refused', async () => {
    const { admin } = await cluster()
    await expect(admin().createTopics([{ name: 'no spaces/allowed', partitions: 1, replicationFactor: 1 }])).rejects.toThrow()
  })

  test('an unknown topic is an error of its own, not an empty description', async () => {
    const { admin } = await cluster()
    const name = uniqueName('unknown')
    await expect(admin().describeTopics([name])).rejects.toThrow(name)
  })

  test.runIf(brokerIsAtLeast('2.8'))('a topic that is deleted and created again has another id', async () => {
    const { admin: connect, topic } = await cluster()
    const admin = connect()
    const name = await topic('again')
    const first = (await admin.describeTopics([name])).get(name)!
    await admin.deleteTopics([name])
    await expect.poll(async () => (await admin.listTopics()).map(each => each.name), { timeout: 30_000 }).not.toContain(name)
    // A ZooKeeper cluster forgets the topic first and its name a little later.
    const create = () =>
      admin.createTopics([{ name, partitions: 1, replicationFactor: 1 }]).then(
        () => 'created',
        (error: Error) => error.message,
      )
    await expect.poll(create, { timeout: 30_000 }).toBe('created')
    await expect
      .poll(async () => (await admin.describeTopics([name])).get(name)!.topicId, { timeout: 30_000 })
      .not.toBe(first.topicId)
  })
})
