import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, test } from 'vitest'
import { Consumer } from '../../src/consumer/index.ts'
import { KafkaError } from '../../src/errors.ts'
import { Producer } from '../../src/producer/index.ts'
import { Fetch, ListGroups, ListOffsets, OffsetCommit, OffsetFetch, Produce } from '../../src/protocol/apis/index.ts'
import type { Api } from '../../src/protocol/schema.ts'
import type { RetryEvent } from '../../src/telemetry/hooks.ts'
import { recorder } from './fixture.ts'
import { inWorld } from './simulation.ts'

const endOffsets = { replicaId: -1, topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1n }] }] }

describe('watching a client', () => {
  test('hooks hear of connections, requests, throttling and retries', () =>
    inWorld({ nodes: 1 }, async world => {
      const seen: Record<string, object[]> = {}
      const note = (name: string) => (event: object) => {
        const list = (seen[name] ??= [])
        list.push(event)
      }
      const client = world.client({
        hooks: {
          onConnect: note('connect'),
          onDisconnect: note('disconnect'),
          onWrite: note('write'),
          onRead: note('read'),
          onThrottle: note('throttle'),
          onRetry: note('retry'),
        },
      })
      await client.request(ListOffsets, endOffsets)
      world.broker.throttle(ListOffsets, 7)
      await client.request(ListOffsets, endOffsets)
      world.broker.intercept(ListGroups, () => 'close', { times: 1 })
      await client.request(ListGroups, {})
      await client.sendTo(1, ListGroups, {}, { lane: 'fetch' })
      await client.close()
      const at = { nodeId: 1, host: 'brokers', lane: 'other' }
      expect(seen.connect).toContainEqual(expect.objectContaining({ ...at, durationMs: expect.any(Number) }))
      expect(seen.write).toContainEqual(expect.objectContaining({ ...at, api: 'ListOffsets', bytes: expect.any(Number) }))
      expect(seen.read).toContainEqual(expect.objectContaining({ ...at, api: 'ListOffsets', durationMs: expect.any(Number) }))
      expect(seen.throttle).toEqual([expect.objectContaining({ ...at, api: 'ListOffsets', throttleMs: 7 })])
      expect(seen.retry).toEqual([
        {
          api: 'ListGroups',
          attempts: 1,
          delayMs: expect.any(Number),
          error: expect.objectContaining({ code: 'ERR_CONNECTION' }),
        },
      ])
      expect(seen.disconnect).toContainEqual(
        expect.objectContaining({ ...at, error: expect.objectContaining({ code: 'ERR_CONNECTION' }) }),
      )
      expect(seen.disconnect).toContainEqual(expect.objectContaining({ ...at, error: undefined }))
      // Fetches are cut off, on purpose.
      expect(seen.disconnect).toContainEqual(expect.objectContaining({ ...at, lane: 'fetch', error: undefined }))
    }))

  test('onRetry hears of batches, fetches, commits and look-ups that are sent again, too', () =>
    inWorld({ nodes: 1, topics: { t: 1 } }, async world => {
      const retries: string[] = []
      const options = {
        bootstrapServers: world.broker.bootstrapServers,
        enableMetricsPush: false,
        hooks: {
          onRetry: ({ api, attempts, delayMs, error }: RetryEvent) => {
            expect([attempts, delayMs > 0, error]).toEqual([1, true, expect.any(KafkaError)])
            retries.push(api)
          },
        },
      }
      for (const api of [Produce, Fetch, ListOffsets, OffsetFetch, OffsetCommit])
        world.broker.intercept(api as Api, () => 'close', { times: 1 })
      await using producer = new Producer(options, world.sim)
      await producer.send({ topic: 't', value: Buffer.from('v') })
      await using consumer = new Consumer({ ...options, groupId: 'g', autoOffsetReset: 'earliest' }, world.sim)
      consumer.assign([{ topic: 't', partition: 0 }])
      expect(await consumer.poll({ timeoutMs: 20_000 })).toHaveLength(1)
      await consumer.commit()
      expect(await consumer.endOffsets([{ topic: 't', partition: 0 }])).toBeDefined()
      expect(new Set(retries)).toEqual(new Set(['Produce', 'Fetch', 'ListOffsets', 'OffsetFetch', 'OffsetCommit']))
    }))

  test('a logger that throws, and hooks that throw or reject, change nothing', () =>
    inWorld({ nodes: 1 }, async world => {
      const boom = () => {
        throw new Error('disk full')
      }
      const rejections: unknown[] = []
      const unhandled = (error: unknown) => rejections.push(error)
      process.on('unhandledRejection', unhandled)
      try {
        const later = async () => boom()
        const client = world.client({
          logger: { debug: boom, info: later, warn: boom, error: later, child: boom },
          hooks: { onConnect: boom, onDisconnect: boom, onWrite: async () => boom(), onRead: async () => boom(), onRetry: boom },
        })
        await client.connect()
        world.broker.intercept(ListGroups, () => 'close', { times: 2 })
        await client.request(ListGroups, {})
        await client.close()
        await new Promise(resolve => setImmediate(resolve))
      } finally {
        process.off('unhandledRejection', unhandled)
      }
      expect(rejections).toEqual([])
    }))

  test('diagnostics channels carry the same events', () =>
    inWorld({ nodes: 1 }, async world => {
      const apis: unknown[] = []
      const listener = (event: unknown) => apis.push((event as { api: string }).api)
      subscribe('kafkawire:write', listener)
      try {
        await world.client().request(ListGroups, {})
      } finally {
        unsubscribe('kafkawire:write', listener)
      }
      expect(apis).toContain('ListGroups')
    }))

  test('a hook or a listener that throws costs one line, and nothing else', () =>
    inWorld({ nodes: 1 }, async world => {
      const { logger, lines } = recorder()
      const client = world.client({
        logger,
        hooks: {
          onWrite() {
            throw new Error('hook trouble')
          },
        },
      })
      client.metadata.onChange(() => {
        throw new Error('listener trouble')
      })
      expect((await client.request(ListGroups, {})).errorCode).toBe(0)
      expect(lines.some(line => line.startsWith('error') && line.includes('hook trouble'))).toBe(true)
      expect(lines.some(line => line.startsWith('error') && line.includes('listener trouble'))).toBe(true)
    }))

  test('metrics count requests, bytes and connections, in all and by node', () =>
    inWorld({ nodes: 2 }, async world => {
      const client = world.client()
      for (let i = 0; i < 10; i++) await client.request(ListGroups, {})
      const value = (name: string, node?: string) =>
        client.metrics.read().find(metric => metric.name === name && metric.tags.node === node)?.value
      expect(value('request-total', '1')).toBeGreaterThanOrEqual(10)
      expect(value('request-total')).toBeGreaterThanOrEqual(20)
      expect(value('connection-count')).toBe(2)
      expect(value('request-latency-avg')).toBeGreaterThan(0)
      expect(value('outgoing-byte-total')).toBeGreaterThan(100)
      expect(value('incoming-byte-total')).toBeGreaterThan(100)
      await client.close()
      expect(value('connection-count')).toBe(0)
    }))
})
