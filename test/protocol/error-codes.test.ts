import { expect, test } from 'vitest'
import { BrokerError, FencedError, KafkaError } from '../../src/errors.ts'
import { brokerError, ErrorCode, errorRow, errorRows } from '../../src/protocol/error-codes.ts'

test('codes run from -1 to 136 without a gap, each with its name', () => {
  expect(errorRows.map(row => row.code)).toEqual(Array.from({ length: 138 }, (_, i) => i - 1))
  expect(ErrorCode.NOT_LEADER_OR_FOLLOWER).toBe(6)
  expect(errorRow(6)).toMatchObject({ name: 'NOT_LEADER_OR_FOLLOWER', action: 'refresh-metadata', retriable: true })
})

test('messages are our own sentences and say what to do', () => {
  for (const { name, message } of errorRows) {
    if (name === 'NONE') continue
    expect(message, name).toMatch(/[:,] /)
    expect(message, name).not.toMatch(/[.!]$|^[A-Z]/)
  }
  expect(new Set(errorRows.map(row => row.message)).size).toBe(errorRows.length)
})

test('what Java retries is not given up, and what asks for a retry is no success', () => {
  for (const { name, retriable, action } of errorRows) {
    if (retriable && name !== 'ELECTION_NOT_NEEDED')
      expect(['retry', 'refresh-metadata', 'find-coordinator'], name).toContain(action)
  }
})

test('an error says what it was about and what the broker said, and ends with the fix', () => {
  const error = brokerError(ErrorCode.MESSAGE_TOO_LARGE, { api: 'Produce', topic: 'orders', partition: 3, message: 'too big' })
  expect(error).toBeInstanceOf(BrokerError)
  expect(error).toMatchObject({
    code: 'ERR_BROKER',
    error: 'MESSAGE_TOO_LARGE',
    errorCode: 10,
    api: 'Produce',
    topic: 'orders',
    partition: 3,
    retriable: false,
  })
  expect(error.message).toBe(`Produce of orders-3 failed with MESSAGE_TOO_LARGE (10) ("too big"): ${errorRow(10).message}`)
})

test('another owner of the identity is a FencedError', () => {
  for (const code of [ErrorCode.PRODUCER_FENCED, ErrorCode.FENCED_INSTANCE_ID])
    expect(brokerError(code)).toBeInstanceOf(FencedError)
  expect(brokerError(ErrorCode.PRODUCER_FENCED).code).toBe('ERR_FENCED')
})

test('a code from the future fails like an unknown server error and keeps its number', () => {
  const error = brokerError(999, { api: 'Fetch' })
  expect(KafkaError.is(error)).toBe(true)
  expect(error).toMatchObject({ error: 'UNKNOWN_SERVER_ERROR', errorCode: 999, retriable: false })
  expect(error.message).toContain('error code 999 is newer than this client')
  expect(errorRow(999)).toMatchObject({ code: 999, action: 'fail' })
})
