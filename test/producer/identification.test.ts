import { describe, expect, test } from 'vitest'
import { BrokerError, UnsupportedVersionError } from '../../src/errors.ts'
import { Identification } from '../../src/producer/identification.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { silent } from '../../src/util/logger.ts'

/** A cluster that answers InitProducerId, and the warnings it got to hear. */
function cluster(answer: () => unknown) {
  const warnings: string[] = []
  const cluster = {
    logger: { ...silent, warn: (_: object, message: string) => void warnings.push(message) },
    asked: 0,
    async sendTo() {
      cluster.asked++
      const value = answer()
      if (value instanceof Error) throw value
      return value
    },
    warnings,
  }
  return cluster
}
const identification = (of: ReturnType<typeof cluster>, idempotence: 'required' | 'preferred' | 'off') =>
  new Identification(of as unknown as ConstructorParameters<typeof Identification>[0], idempotence)
const tooOld = () => new UnsupportedVersionError('InitProducerId', 'the broker has no InitProducerId')

test('callers that need the id at the same time share one request', async () => {
  const of = cluster(() => ({ errorCode: 0, producerId: 5n, producerEpoch: 0 }))
  const it = identification(of, 'preferred')
  expect(it.isReady).toBe(false)
  await Promise.all([it.obtain(1), it.obtain(2)])
  expect(of.asked).toBe(1)
  expect(it.isReady).toBe(true)
  expect(it.identities?.current).toEqual({ producerId: 5n, epoch: 0 })
})

describe('D8: a broker without idempotent producers', () => {
  test('costs a default one warning, and the guarantee', async () => {
    const of = cluster(tooOld)
    const it = identification(of, 'preferred')
    await it.obtain(1)
    expect(it.isReady).toBe(true)
    expect(it.identities).toBeUndefined()
    expect(of.warnings).toEqual([expect.stringContaining('set idempotent to false')])
  })
  test('is an error where it was asked for', async () => {
    const of = cluster(tooOld)
    const it = identification(of, 'required')
    await expect(it.obtain(1)).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_VERSION',
      message: expect.stringContaining('0.11'),
    })
    expect(it.isReady).toBe(false)
    expect(of.warnings).toEqual([])
  })
})

test('an error is not remembered: the next call asks again', async () => {
  const codes: number[] = [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ErrorCode.NONE]
  const it = identification(
    cluster(() => ({ errorCode: codes.shift(), producerId: 5n, producerEpoch: 0 })),
    'required',
  )
  await expect(it.obtain(1)).rejects.toBeInstanceOf(BrokerError)
  await it.obtain(1)
  expect(it.isReady).toBe(true)
})

test('without idempotence nothing is asked', () => {
  expect(identification(cluster(tooOld), 'off').isReady).toBe(true)
})
