import { expect, test } from 'vitest'
import { parseProducerOptions } from '../../src/producer/options.ts'

const at = { bootstrapServers: 'localhost:9092' }

test('defaults are those of the Java producer 4.x', () => {
  expect(parseProducerOptions(at).own).toMatchObject({
    acks: 'all',
    lingerMs: 5,
    batchSize: 16_384,
    bufferMemory: 33_554_432,
    maxBlockMs: 60_000,
    maxRequestSize: 1_048_576,
    maxInFlightRequests: 5,
    deliveryTimeoutMs: 120_000,
    compression: 'none',
    partitionerAdaptive: true,
    partitionerIgnoreKeys: false,
    partitionerAvailabilityTimeoutMs: 0,
  })
})

test('Java names are taken, own ones and those of the connections', () => {
  const { own, client } = parseProducerOptions({
    'bootstrap.servers': 'a:1',
    'linger.ms': 7,
    'enable.idempotence': false,
    acks: '1',
    'client.id': 'x',
  })
  expect(own).toMatchObject({ lingerMs: 7, idempotent: false, acks: 1 })
  expect(client).toEqual({ 'bootstrap.servers': 'a:1', 'client.id': 'x' })
})

test.each([
  [{ acks: 1, idempotent: true }, /acks.*must be 'all'/],
  [{ acks: 2 }, /acks: takes 'all'/],
  [{ maxInFlightRequests: 6, idempotent: true }, /at most 5/],
  [{ deliveryTimeoutMs: 100 }, /deliveryTimeoutMs: must be at least lingerMs \+ requestTimeoutMs/],
  [{ bufferMemory: 70_000 }, /bufferMemory: must be at least maxRequestSize/],
  [{ compressionLevel: 3 }, /no meaning with compression 'none'/],
  [{ compression: 'gzip', compressionLevel: 12 }, /between 1 and 9/],
  [{ lingerms: 3 }, /did you mean lingerMs/],
  [{ key: {} }, /key: must be a serde/],
])('%j is refused with a way out', (options, message) => {
  expect(() => parseProducerOptions({ ...at, ...options })).toThrow(message)
})
