import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { PartitionMap } from '../../src/client/partition-map.ts'

const at = (topic: string, partition: number) => ({ topic, partition })

describe('a map keyed by partition', () => {
  test('finds a value by an equal key, and by topic and partition', () => {
    const map = new PartitionMap<bigint>().set(at('a', 0), 1n).set('a', 1, 2n)
    expect(map.get({ topic: 'a', partition: 0 })).toBe(1n)
    expect(map.get('a', 1)).toBe(2n)
    expect(map.get('a', 2)).toBeUndefined()
    expect(map.get('b', 0)).toBeUndefined()
    expect([map.has('a', 1), map.has(at('a', 9))]).toEqual([true, false])
  })

  test('counts each partition once, replaced or deleted', () => {
    const map = PartitionMap.from([
      [at('a', 0), 'x'],
      [at('b', 0), 'y'],
      [at('a', 0), 'z'],
    ])
    expect(map.size).toBe(2)
    expect(map.get('a', 0)).toBe('z')
    expect(map.delete(at('a', 0))).toBe(true)
    expect(map.delete('a', 0)).toBe(false)
    expect(map.delete('c', 0)).toBe(false)
    expect(map.size).toBe(1)
    expect([...map.topicNames()]).toEqual(['b'])
    map.clear()
    expect([map.size, [...map]]).toEqual([0, []])
  })

  test('holds undefined and null as values', () => {
    const map = new PartitionMap<null | undefined>().set('a', 0, undefined).set('a', 1, null)
    expect(map.size).toBe(2)
    expect(map.has('a', 0)).toBe(true)
    expect([...map.values()]).toEqual([undefined, null])
  })

  test('iterates topic by topic in order of insertion; maps; and becomes JSON', () => {
    const map = PartitionMap.from<bigint>([
      [at('b', 1), 10n],
      [at('a', 0), 2n ** 60n],
      [at('b', 0), 30n],
    ])
    expect([...map]).toEqual([
      [at('b', 1), 10n],
      [at('b', 0), 30n],
      [at('a', 0), 2n ** 60n],
    ])
    expect([...map.keys()]).toEqual([at('b', 1), at('b', 0), at('a', 0)])
    expect(map.map(value => value + 1n).get('b', 1)).toBe(11n)
    const seen: string[] = []
    map.forEach((value, { topic, partition }) => {
      seen.push(`${topic}-${partition}=${value}`)
    })
    expect(seen).toEqual(['b-1=10', 'b-0=30', `a-0=${2n ** 60n}`])
    expect(JSON.parse(JSON.stringify(map))[2]).toEqual({ topic: 'a', partition: 0, value: '1152921504606846976' })
  })
  test('is printed as a map of partitions', () => {
    const map = PartitionMap.from<bigint>([
      [at('b', 1), 10n],
      [at('a', 0), 2n],
    ])
    expect(inspect(map)).toBe("PartitionMap(2) { 'b-1' => 10n, 'a-0' => 2n }")
  })
})
