import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { stepwise } from '../../src/runtime/stepwise.ts'

const STEPS = 20
let nowMs = 0
/** Steps taken in each turn of the loop. */
let turns: number[]

beforeEach(() => {
  turns = [0]
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
})
afterEach(() => void vi.restoreAllMocks())

/** Work whose every step takes a millisecond. */
function* work(result: string): Generator<void, string, void> {
  for (let i = 0; i < STEPS; i++) {
    nowMs++
    turns[turns.length - 1]!++
    yield
  }
  return result
}
/** Runs these at the same time, while the loop turns. */
async function run(...results: string[]): Promise<string[]> {
  const done: string[] = []
  let running = true
  const turn = () => {
    turns.push(0)
    if (running) setImmediate(turn)
  }
  setImmediate(turn)
  await Promise.all(results.map(async result => done.push(await stepwise(work(result)))))
  running = false
  return done
}

test('work gives way every few milliseconds', async () => {
  expect(await run('a')).toEqual(['a'])
  expect(turns.length).toBeGreaterThan(STEPS / 5)
  expect(Math.max(...turns)).toBeLessThan(6)
})

test('several pieces of work share the turn of the loop, and end in the order in which they began', async () => {
  expect(await run('a', 'b', 'c', 'd', 'e')).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect(Math.max(...turns)).toBeLessThan(6)
})

test('work that fails in a step fails', async () => {
  // biome-ignore lint/correctness/useYield: it fails before
  const failing = function* (): Generator<void, never, void> {
    throw new RangeError('not these bytes')
  }
  await expect(stepwise(failing())).rejects.toThrow('not these bytes')
  expect(await run('a')).toEqual(['a'])
})
