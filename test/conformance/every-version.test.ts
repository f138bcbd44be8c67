import { expect, test } from 'vitest'
import { brokerUnderTest } from '../brokers/broker-under-test.ts'
import { askEverything } from './live-answers.ts'

test('a request of every API at every version that the broker offers is answered, and read to its last byte', async () => {
  const { bootstrapServers } = await brokerUnderTest()
  const { answers, asked, unasked, failures } = await askEverything(bootstrapServers)
  expect(failures).toEqual([])
  expect(unasked).toEqual([])
  // The oldest broker that anybody tests against, 0.10, offers 21, four of them for its controller alone.
  expect(asked.length).toBeGreaterThanOrEqual(17)
  expect(answers).toBeGreaterThanOrEqual(asked.length)
})
