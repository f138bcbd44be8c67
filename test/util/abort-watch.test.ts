import { getEventListeners } from 'node:events'
import { expect, test, vi } from 'vitest'
import { Lifetime } from '../../src/client/lifetime.ts'
import { Wakeup } from '../../src/consumer/wakeup.ts'
import { SimulatedRuntime } from '../../src/runtime/simulated/index.ts'
import { onAbort } from '../../src/util/abort-watch.ts'

const { clock } = new SimulatedRuntime({ seed: 1 })
const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length

test('a signal that is waited for again and again is listened to once: nothing that has ended hangs on it', async () => {
  const { signal } = new AbortController()
  const add = vi.spyOn(signal, 'addEventListener')
  const lifetime = new Lifetime(clock)
  const wakeup = new Wakeup(clock)
  for (let n = 0; n < 100; n++) {
    await lifetime.within(Promise.resolve(n), { ms: 1000, operation: 'waiting', signal })
    const wait = wakeup.wait(Number.POSITIVE_INFINITY, signal)
    wakeup.notify()
    await wait
    wakeup.clear()
  }
  expect(add).toHaveBeenCalledTimes(1)
})

test('many waits for one signal at once: one listener, and the signal ends them all', async () => {
  const aborter = new AbortController()
  const lifetime = new Lifetime(clock)
  const waits = Array.from({ length: 50 }, () => lifetime.delay(1000, aborter.signal))
  expect(listeners(aborter.signal)).toBe(1)
  aborter.abort(new Error('enough'))
  const outcomes = await Promise.allSettled([...waits, lifetime.delay(1000, aborter.signal)])
  expect(outcomes.map(outcome => outcome.status === 'rejected' && outcome.reason)).toEqual(
    Array.from({ length: 51 }, () => expect.objectContaining({ code: 'ERR_ABORTED', cause: aborter.signal.reason })),
  )
})

test('what ended before the signal fires is not called, not even by a callback of the same signal', () => {
  const aborter = new AbortController()
  const called: string[] = []
  onAbort(aborter.signal, () => called.push('ended'))()
  onAbort(aborter.signal, () => {
    called.push('first')
    endSecond()
  })
  const endSecond = onAbort(aborter.signal, () => called.push('second'))
  aborter.abort()
  expect(called).toEqual(['first'])
})

test('signals that nobody waits for any more are let go, whatever their number', () => {
  const signals = Array.from({ length: 100 }, () => AbortSignal.any([new AbortController().signal]))
  for (const signal of signals) onAbort(signal, () => {})()
  expect(signals.filter(signal => listeners(signal) > 0).length).toBeLessThanOrEqual(16)
  const waiting = new AbortController()
  let aborted = false
  onAbort(waiting.signal, () => {
    aborted = true
  })
  for (const signal of signals) onAbort(signal, () => {})()
  waiting.abort()
  expect(aborted).toBe(true)
})
