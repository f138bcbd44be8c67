import { describe, expect, test } from 'vitest'
import { Admin } from '../../src/admin/index.ts'
import { Consumer } from '../../src/consumer/index.ts'
import { Producer } from '../../src/producer/index.ts'
import {
  ConsumerGroupDescribe,
  DescribeConfigs,
  DescribeGroups,
  ListOffsets,
  Metadata,
  OffsetFetch,
} from '../../src/protocol/apis/index.ts'
import type { Api, Encodable } from '../../src/protocol/schema.ts'
import { inWorld } from './simulation.ts'

const refused = (message: RegExp) => ({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringMatching(message) })
const partitions = [{ partitionIndex: 0, timestamp: -1n }]

describe('a request that lacks what its route goes by is refused, and says what', () => {
  test.each([
    [
      'ListOffsets',
      ListOffsets,
      undefined,
      /ListOffsetsRequest cannot be routed, correct the message: an object is needed, not undefined$/,
    ],
    ['ListOffsets', ListOffsets, null, /correct the message/],
    ['ListOffsets', ListOffsets, {}, /correct topics: an array is needed, not undefined$/],
    ['ListOffsets', ListOffsets, { topics: null }, /correct topics: an array is needed, not null$/],
    ['ListOffsets', ListOffsets, { topics: 't' }, /correct topics: an array is needed, not "t"$/],
    ['ListOffsets', ListOffsets, { topics: [null] }, /correct topics\[0\]: an object is needed, not null$/],
    [
      'ListOffsets',
      ListOffsets,
      { topics: [{ name: 't', partitions }, { name: 't' }] },
      /correct topics\[1\]\.partitions: an array/,
    ],
    [
      'ListOffsets',
      ListOffsets,
      { topics: [{ name: 't', partitions: [{}] }] },
      /topics\[0\]\.partitions\[0\]\.partitionIndex: a whole number is needed, not undefined$/,
    ],
    [
      'ListOffsets',
      ListOffsets,
      { topics: [{ name: 't', partitions: [{ ...partitions[0], partitionIndex: Number.NaN }] }] },
      /topics\[0\]\.partitions\[0\]\.partitionIndex: a whole number is needed, not NaN$/,
    ],
    ['ListOffsets', ListOffsets, { topics: [{ partitions }] }, /correct topics\[0\]: name is needed$/],
    ['DescribeGroups', DescribeGroups, { groups: 'g' }, /correct groups: an array is needed, not "g"$/],
    ['DescribeGroups', DescribeGroups, { groups: [7] }, /correct groups\[0\]: a string is needed, not 7$/],
    ['ConsumerGroupDescribe', ConsumerGroupDescribe, { groupIds: null }, /groupIds/],
    ['OffsetFetch', OffsetFetch, { groups: [{}] }, /correct groups\[0\]\.groupId: a string is needed, not undefined$/],
    ['DescribeConfigs', DescribeConfigs, { resources: null }, /resources/],
    ['DescribeConfigs', DescribeConfigs, {}, /resources/],
  ])('%s %#', (_, api: Api, request, message) =>
    inWorld({ nodes: 1, topics: { t: 1 } }, async world => {
      const client = world.client()
      const send = client.request(api, { replicaId: -1, ...(request as object) } as Encodable<Api['request']>)
      const sent = request ? send : client.request(api, request as never)
      await send.catch(() => {})
      await expect(sent).rejects.toMatchObject(refused(message))
    }),
  )
})

describe('options of a call', () => {
  test.each([
    [{ timeout: 5 }, /^request\(\) does not know timeout: did you mean timeoutMs\?$/],
    [{ timeoutMs: '500' }, /^request\(\) takes a number from 0 as timeoutMs, not "500"$/],
    [{ timeoutMs: null }, /timeoutMs, not null$/],
    [{ timeoutMs: Number.NaN }, /timeoutMs, not NaN$/],
    [{ timeoutMs: -5 }, /^request\(\) takes a number from 0 as timeoutMs, not -5$/],
    [{ timeoutMs: Number.NEGATIVE_INFINITY }, /timeoutMs, not -Infinity$/],
    [{ nodeId: '1' }, /nodeId, not "1"$/],
    [{ nodeId: 1.5 }, /^request\(\) takes a whole number as nodeId, not 1.5$/],
    [{ maxVersion: 1.5 }, /maxVersion/],
    [null, /^request\(\) takes an object of options, not null$/],
    ['fast', /^request\(\) takes an object of options, not "fast"$/],
    [{ version: '1' }, /version/],
    [{ signal: 'stop' }, /^request\(\) takes an AbortSignal as signal, not "stop"$/],
  ])('of request(): %j is refused', (options, message) =>
    inWorld({ nodes: 1 }, async world => {
      await expect(world.client().request(Metadata, { topics: [] }, options as never)).rejects.toMatchObject(refused(message))
    }),
  )

  test('a name where metadata takes a list of them is not taken for its letters', () =>
    inWorld({ nodes: 1, topics: { t: 1 } }, async world => {
      const { metadata } = world.client()
      const message = /a list of topic names is needed, not 'orders'/
      expect(() => metadata.track('orders')).toThrow(message)
      await expect(metadata.ensure('orders' as never)).rejects.toThrow(message)
      await expect(metadata.locate('orders' as never)).rejects.toThrow(message)
    }))

  test('a time of 0 ms is over before anything is sent', () =>
    inWorld({ nodes: 1, topics: { t: 1 } }, async world => {
      const client = world.client()
      await client.metadata.ensure(['t'])
      let asked = 0
      for (const api of [ListOffsets, Metadata])
        world.broker.intercept(api as Api, () => {
          asked++
          return 'pass'
        })
      const late = { code: 'ERR_TIMEOUT', outcome: 'not-sent' }
      const topics = [{ name: 't', partitions }]
      await expect(client.request(Metadata, { topics: [] }, { timeoutMs: 0 })).rejects.toMatchObject(late)
      await expect(client.request(ListOffsets, { replicaId: -1, topics }, { timeoutMs: 0 })).rejects.toMatchObject(late)
      expect(asked).toBe(0)
    }))

  test('a topic of which no partition is asked about is in the answer all the same', () =>
    inWorld({ nodes: 1, topics: { t: 1, u: 1 } }, async world => {
      const topics = [
        { name: 't', partitions: [] },
        { name: 'u', partitions },
      ]
      const answer = await world.client().request(ListOffsets, { replicaId: -1, topics })
      expect(answer.topics.map(({ name, partitions }) => [name, partitions.length])).toEqual([
        ['t', 0],
        ['u', 1],
      ])
    }))

  test.each([undefined, null, 'Metadata', {}, Metadata.request])('%j is no API', api =>
    inWorld({ nodes: 1 }, async world => {
      const client = world.client()
      const none = refused(/^\w+\(\) takes an API first, such as Metadata/)
      await expect(client.request(api as never, {} as never)).rejects.toMatchObject(none)
      await expect(client.sendTo(1, api as never, {} as never, { lane: 'other' })).rejects.toMatchObject(none)
      await expect(client.sendOneWay(1, api as never, {} as never, { lane: 'other' })).rejects.toMatchObject(none)
    }),
  )

  test('of the other calls: a name that they do not know is refused', () =>
    inWorld({ nodes: 1 }, async world => {
      const client = world.client()
      const typo = { timeout: 5 } as never
      await expect(client.connect(typo)).rejects.toMatchObject(refused(/^connect\(\) does not know timeout/))
      await expect(client.versionOf(1, Metadata, typo)).rejects.toMatchObject(refused(/^versionOf\(\) does not know timeout/))
      await expect(client.featuresOf(1, typo)).rejects.toMatchObject(refused(/^featuresOf\(\) does not know timeout/))
      await expect(client.sendTo(1, Metadata, { topics: [] }, typo)).rejects.toMatchObject(refused(/^sendTo\(\) does not know/))
      await expect(client.sendOneWay(1, Metadata, { topics: [] }, typo)).rejects.toMatchObject(
        refused(/^sendOneWay\(\) does not/),
      )
    }))

  test.each([
    [null, /^close\(\) takes an object of options, not null/],
    ['x', /^close\(\) takes an object of options/],
    [{ timeoutMs: Number.NaN }, /^close\(\) takes a number from 0 as timeoutMs/],
    [{ timeoutMs: -1 }, /^close\(\) takes a number from 0 as timeoutMs/],
    [{ timeout: 5 }, /^close\(\) does not know timeout/],
  ])('close(%j) rejects, closes nothing, and leaves the next close() to do so', (options, message) =>
    inWorld({ nodes: 1 }, async world => {
      const client = world.client()
      for (const each of [new Producer({ client }), new Consumer({ client }), new Admin({ client }), client]) {
        const wrong = each.close(options as never)
        await expect(wrong).rejects.toMatchObject(refused(message))
        expect(client.closed).toBe(false)
        await each.close()
      }
      expect(client.closed).toBe(true)
    }),
  )
})
