import { describe, expect, test } from 'vitest'
import { choosePartition, murmur2, partitionOfKey, StickyPartitioner } from '../../src/producer/partitioner.ts'

describe('murmur2 is the Java client’s', () => {
  // org.apache.kafka.common.utils.UtilsTest, and the empty key as Utils.murmur2 of 4.4.0 gives it.
  test.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
    ['', 275646681],
  ])('%j', (key, hash) => expect(murmur2(Buffer.from(key))).toBe(hash))

  test('negative hashes lose their sign bit, they are not negated', () => {
    expect(partitionOfKey(Buffer.from('21'), 12)).toBe((-973932308 & 0x7fffffff) % 12)
    expect(partitionOfKey(Buffer.alloc(0), 7)).toBe(275646681 % 7)
  })
})

/** Answers the given numbers in turn. */
const numbers = (...values: number[]) => {
  let next = 0
  return () => values[next++ % values.length]!
}

describe('records without a key', () => {
  test('stay on a partition until it has its share of bytes and its batch is full', () => {
    const sticky = new StickyPartitioner({
      stickyBytes: 100,
      random: numbers(0, 0.5, 0.99),
      load: () => ({ partitionCount: 3, available: [0, 1, 2], queued: undefined }),
    })
    expect(sticky.partition()).toBe(0)
    sticky.appended(60, false)
    sticky.appended(60, false)
    expect(sticky.partition()).toBe(0)
    sticky.appended(10, true)
    expect(sticky.partition()).toBe(1)
    sticky.appended(199, false)
    expect(sticky.partition()).toBe(1)
    sticky.appended(1, false)
    expect(sticky.partition()).toBe(2)
  })

  test('leave a partition that lost its leader', () => {
    const sticky = new StickyPartitioner({
      stickyBytes: 100,
      random: numbers(0, 0.9),
      load: () => ({ partitionCount: 2, available: [0, 1], queued: undefined }),
    })
    expect(sticky.partition()).toBe(0)
    sticky.keepTo([0, 1])
    sticky.keepTo([])
    expect(sticky.partition()).toBe(0)
    sticky.keepTo([1])
    expect(sticky.partition()).toBe(1)
  })

  test('a full batch below the share does not switch', () => {
    const sticky = new StickyPartitioner({
      stickyBytes: 100,
      random: numbers(0, 0.9),
      load: () => ({ partitionCount: 2, available: [0, 1], queued: undefined }),
    })
    sticky.partition()
    sticky.appended(50, true)
    expect(sticky.partition()).toBe(0)
  })

  test('the longer the queue, the rarer the choice: queues 0, 3, 1 are chosen 4 : 1 : 3', () => {
    const chosen = [0, 0, 0]
    for (let i = 0; i < 8; i++)
      chosen[choosePartition({ partitionCount: 3, available: [0, 1, 2], queued: [0, 3, 1] }, () => (i + 0.5) / 8)]!++
    expect(chosen).toEqual([4, 1, 3])
  })

  test('partitions without a leader are left out while any other has one', () => {
    const choices = new Set<number>()
    for (let i = 0; i < 10; i++)
      choices.add(choosePartition({ partitionCount: 4, available: [1, 3], queued: undefined }, () => i / 10))
    expect([...choices].sort()).toEqual([1, 3])
    expect(choosePartition({ partitionCount: 4, available: [], queued: undefined }, () => 0.8)).toBe(3)
  })
})
