import { describe, expect, test } from 'vitest'
import { TopicCache } from '../../src/client/topic-cache.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { NO_UUID } from '../../src/protocol/schema.ts'

const partition = (partitionIndex: number, leaderId: number, leaderEpoch: number) => ({
  errorCode: 0,
  partitionIndex,
  leaderId,
  leaderEpoch,
  replicaNodes: [1, 2],
  isrNodes: [1, 2],
  offlineReplicas: [],
})
const topic = (name: string, topicId: string, partitions: ReturnType<typeof partition>[], errorCode = 0) => ({
  errorCode,
  name,
  topicId,
  isInternal: false,
  partitions,
})
const FIRST = 'first-id-AAAAAAAAAAAAA'
const SECOND = 'second-id-AAAAAAAAAAAA'
const cacheOf = (...topics: ReturnType<typeof topic>[]) => {
  const cache = new TopicCache()
  cache.merge(topics, new Set(), false, 0)
  return cache
}
const leaders = (cache: TopicCache, name = 't') => cache.topic(name, 0)?.partitions.map(each => each.leaderId)

describe('topics of the metadata', () => {
  test('F11: an answer of a broker that lags behind does not bring back a deposed leader', () => {
    const cache = cacheOf(topic('t', FIRST, [partition(0, 1, 5), partition(1, 2, 3)]))
    cache.merge([topic('t', FIRST, [partition(0, 2, 4), partition(1, 3, 4)])], new Set(), false, 0)
    expect(leaders(cache)).toEqual([1, 3])
  })

  test('an index beyond all that is known or named neither fills the memory nor gets in', () => {
    const cache = cacheOf(topic('t', FIRST, [partition(0, 1, 5), partition(0x7fffffff, 2, 3), partition(-1, 2, 3)]))
    expect(leaders(cache)).toEqual([1])
    expect(Object.keys(cache.topic('t', 0)?.partitions ?? {})).toEqual(['0'])
  })

  test('F11: an answer that omits a partition does not make it vanish', () => {
    const cache = cacheOf(topic('t', FIRST, [partition(0, 1, 5), partition(1, 2, 3)]))
    cache.merge([topic('t', FIRST, [partition(1, 3, 4)])], new Set(), false, 0)
    expect(leaders(cache)).toEqual([1, 3])
  })

  test('an answer that names only a later partition leaves no hole', () => {
    const cache = cacheOf(topic('t', FIRST, [partition(2, 1, 0)]))
    expect(cache.topic('t', 0)?.partitions.map(each => [each.partition, each.leaderId])).toEqual([
      [0, -1],
      [1, -1],
      [2, 1],
    ])
  })

  test('F12: a recreated topic starts over, whatever its epochs; the old id is gone', () => {
    const cache = cacheOf(topic('t', FIRST, [partition(0, 1, 9), partition(1, 1, 9)]))
    cache.merge([topic('t', SECOND, [partition(0, 2, 0)])], new Set(), false, 0)
    expect(leaders(cache)).toEqual([2])
    expect(cache.topicById(SECOND, 0)?.name).toBe('t')
    expect(cache.topicById(FIRST, 0)).toBeUndefined()
  })

  describe.each([
    ['fewer partitions', [partition(0, 2, 9)]],
    ['earlier epochs', [partition(0, 2, 0), partition(1, 2, 9)]],
  ])('without topic ids, as before 2.8, %s', (_, recreated) => {
    const knownCache = () => cacheOf(topic('t', NO_UUID, [partition(0, 1, 9), partition(1, 1, 9)]))
    const answer = (cache: TopicCache, id: string, partitions: ReturnType<typeof partition>[]) =>
      cache.merge([topic('t', id, partitions)], new Set(), false, 0)

    test('in three answers in a row are those of a topic that was recreated', () => {
      const cache = knownCache()
      for (let i = 0; i < 2; i++) answer(cache, NO_UUID, recreated)
      expect(cache.topic('t', 0)?.partitions.map(each => each.leaderEpoch)).toEqual([9, 9])
      answer(cache, NO_UUID, recreated)
      expect(cache.topic('t', 0)?.partitions.map(each => each.leaderEpoch)).toEqual(recreated.map(each => each.leaderEpoch))
      for (let i = 0; i < 2; i++) answer(cache, NO_UUID, [partition(0, 1, 9), partition(1, 1, 9)])
      for (let i = 0; i < 2; i++) answer(cache, NO_UUID, recreated)
      expect(cache.topic('t', 0)?.partitions).toHaveLength(2)
    })

    test('in answers between others are those of a broker that lags behind', () => {
      const cache = knownCache()
      for (let i = 0; i < 6; i++) {
        answer(cache, NO_UUID, recreated)
        answer(cache, NO_UUID, recreated)
        if (i % 2 === 0) answer(cache, NO_UUID, [partition(0, 1, 9), partition(1, 1, 9)])
        else cache.hint('t', 1, { leaderId: 1, leaderEpoch: 10 + i })
      }
      expect(cache.topic('t', 0)?.partitions).toMatchObject([{ leaderEpoch: 9 }, { leaderEpoch: 15 }])
    })

    test('mean nothing where the topic has an id', () => {
      const cache = cacheOf(topic('t', FIRST, [partition(0, 1, 9), partition(1, 1, 9)]))
      for (let i = 0; i < 6; i++) answer(cache, FIRST, recreated)
      for (let i = 0; i < 6; i++) answer(cache, NO_UUID, recreated)
      expect(cache.topic('t', 0)?.partitions.map(each => each.leaderEpoch)).toEqual([9, 9])
    })
  })

  test('a broker without topic ids changes nothing about those known', () => {
    const cache = cacheOf(topic('t', FIRST, [partition(0, 1, 5)]))
    cache.merge([topic('t', NO_UUID, [partition(0, 2, 6)])], new Set(), false, 0)
    expect(cache.topicById(FIRST, 0)?.partitions[0]?.leaderId).toBe(2)
  })

  test('without epochs, as before 2.4, the latest answer counts', () => {
    const cache = cacheOf(topic('t', NO_UUID, [partition(0, 1, -1)]))
    cache.merge([topic('t', NO_UUID, [partition(0, 2, -1)])], new Set(), false, 0)
    expect(leaders(cache)).toEqual([2])
  })

  test('partial answers are merged; each topic asked for has a code', () => {
    const cache = cacheOf(topic('a', FIRST, [partition(0, 1, 0)]))
    const codes = cache.merge([topic('b', SECOND, [partition(0, 2, 0)])], new Set(['b', 'c']), false, 0)
    expect([codes.get('b'), codes.get(SECOND), codes.get('c')]).toEqual([0, 0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
    expect([leaders(cache, 'a'), leaders(cache, 'b')]).toEqual([[1], [2]])
  })

  test('one broker that does not know a topic does not make it vanish; several answers do', () => {
    const cache = cacheOf(topic('t', FIRST, [partition(0, 1, 0)]))
    const unknown = topic('t', NO_UUID, [], ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    cache.merge([unknown], new Set(), false, 0)
    expect(leaders(cache)).toEqual([1])
    cache.merge([topic('t', FIRST, [partition(0, 1, 0)])], new Set(), false, 0)
    for (let i = 0; i < 3; i++) cache.merge([unknown], new Set(), false, 0)
    expect(cache.topic('t', 0)).toBeUndefined()
    expect(cache.topicById(FIRST, 0)).toBeUndefined()
  })

  test('KIP-951: a hint counts when its epoch is newer', () => {
    const cache = cacheOf(topic('t', FIRST, [partition(0, 1, 5)]))
    const hint = (partition: number, leaderId: number, leaderEpoch: number) => {
      const news = cache.isNews('t', partition, { leaderId, leaderEpoch })
      cache.hint('t', partition, { leaderId, leaderEpoch })
      return [news, leaders(cache)]
    }
    expect(hint(0, 2, 5)).toEqual([false, [1]])
    expect(hint(0, 2, 6)).toEqual([true, [2]])
    expect(hint(1, 2, 6)).toEqual([false, [2]])
  })

  test('topics that nobody asks about are forgotten', () => {
    const cache = cacheOf(topic('a', FIRST, [partition(0, 1, 0)]), topic('b', SECOND, [partition(0, 1, 0)]))
    cache.topic('b', 1_000)
    expect(cache.wanted(500)).toEqual(['b'])
    expect(cache.topic('a', 1_000)).toBeUndefined()
  })
})
