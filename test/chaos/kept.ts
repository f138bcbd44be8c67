import { expect } from 'vitest'
import type { Outcome } from './workload.ts'

/** Everything that has to hold, whatever happened to the connections. */
export function expectAllKept(outcome: Outcome): void {
  const { acknowledged, sent, rejected, unsettled, crashes, unhandled, read, outOfOrder, lostCommits, stored } = outcome
  expect(unhandled).toEqual([])
  expect(crashes).toEqual([])
  expect(unsettled).toBe(0)
  expect(rejected).toEqual([])
  expect(acknowledged.size).toBe(sent)
  // Nothing lost, nothing twice.
  const places = new Map(stored.map(({ value, partition, offset }) => [value, { partition, offset }]))
  expect(stored.length).toBe(places.size)
  expect(stored.length).toBe(sent)
  // A repeated batch that the broker had stored long before is acknowledged without its offset.
  for (const [value, { partition, offset }] of acknowledged)
    expect(places.get(value), value).toEqual({ partition, offset: offset < 0n ? places.get(value)?.offset : offset })
  // Per key, in the order of the sends.
  const counted = new Map<string, number>()
  for (const { key, value } of stored) {
    const next = counted.get(key) ?? 0
    expect(value).toBe(`${key}:${next}`)
    counted.set(key, next + 1)
  }
  // The group read all of it, skipped nothing on the way, and committed where it ended.
  expect(outOfOrder).toEqual([])
  expect(read.size).toBe(stored.length)
  for (const { partition, offset, value } of stored) expect(read.get(`${partition}@${offset}`)?.value).toBe(value)
  expect(lostCommits).toEqual([])
  expect(outcome.committed).toEqual(new Map([...outcome.ends].map(([partition, end]) => [partition, end || undefined])))
}
