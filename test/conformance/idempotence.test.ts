import { describe, expect, onTestFinished, test } from 'vitest'
import { UnsupportedVersionError } from '../../src/errors.ts'
import { Producer } from '../../src/producer/index.ts'
import type { Logger } from '../../src/util/logger.ts'
import { brokerIsAtLeast } from '../brokers/broker-under-test.ts'
import { cluster } from './cluster.ts'

/** A logger that keeps the warnings it and its children get. */
function listening(): { logger: Logger; warnings: string[] } {
  const warnings: string[] = []
  const ignore = () => {}
  const keep = (_fields: object, message: string) => void warnings.push(message)
  const logger: Logger = { debug: ignore, info: ignore, warn: keep, error: keep, child: () => logger }
  return { logger, warnings }
}

async function sendTwo(options: { idempotent?: boolean }): Promise<{ outcome: unknown; warnings: string[] }> {
  const { topic: create, bootstrapServers } = await cluster()
  const topic = await create('idempotence')
  const { logger, warnings } = listening()
  const producer = new Producer({ bootstrapServers, logger, ...options })
  onTestFinished(() => producer.close())
  const outcome = await producer.send({ topic, value: Buffer.from('first') }).then(
    () => 'stored',
    (error: unknown) => error,
  )
  if (outcome === 'stored') await producer.send({ topic, value: Buffer.from('second') })
  return { outcome, warnings }
}

describe('idempotence', () => {
  test.runIf(!brokerIsAtLeast('0.11'))('a broker without it costs the default one warning', async () => {
    const { outcome, warnings } = await sendTwo({})
    expect(outcome).toBe('stored')
    expect(warnings.filter(warning => /idempoten/i.test(warning))).toHaveLength(1)
  })

  test.runIf(!brokerIsAtLeast('0.11'))('a broker without it refuses an explicit wish for it, and the error says so', async () => {
    const { outcome } = await sendTwo({ idempotent: true })
    expect(outcome).toBeInstanceOf(UnsupportedVersionError)
    expect(String(outcome)).toMatch(/broker 1 takes no numbered batches: set idempotent to false, or upgrade the broker to 0\.11/)
  })

  test.runIf(brokerIsAtLeast('0.11'))('a broker that has it gives no reason for a warning', async () => {
    const { outcome, warnings } = await sendTwo({ idempotent: true })
    expect(outcome).toBe('stored')
    expect(warnings).toEqual([])
  })
})
