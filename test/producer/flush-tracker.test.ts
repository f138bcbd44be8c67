import { expect, test } from 'vitest'
import { FlushTracker } from '../../src/producer/flush-tracker.ts'

test('a flush ends with what began before it, whatever begins after', async () => {
  const tracker = new FlushTracker()
  const order: string[] = []
  tracker.began(tracker.current)
  tracker.began(tracker.current)
  const first = tracker.flush().then(() => order.push('first'))
  expect(tracker.isFlushed(0)).toBe(true)
  expect(tracker.isFlushed(tracker.current)).toBe(false)
  tracker.began(tracker.current)
  const second = tracker.flush().then(() => order.push('second'))
  tracker.settled(1)
  tracker.settled(0)
  await Promise.resolve()
  expect(order).toEqual([])
  tracker.settled(0)
  await Promise.all([first, second])
  expect(order).toEqual(['first', 'second'])
})

test('with nothing under way a flush is over at once', async () => {
  const tracker = new FlushTracker()
  await tracker.flush()
  tracker.began(tracker.current)
  tracker.settled(tracker.current)
  await tracker.flush()
  expect(tracker.current).toBe(0)
})
