import { afterEach } from 'vitest'
import { type Broker, startBroker } from '../../src/broker/index.ts'
import { Client, type ClientOptionsInput } from '../../src/client/index.ts'
import type { Logger } from '../../src/util/logger.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** Runs after the test, last registered first. */
export const afterwards = (close: () => unknown): void => {
  closers.push(close)
}

/** Waits in these tests are short: what is tested is that they happen, and end. */
export const impatient = {
  requestTimeoutMs: 300,
  defaultApiTimeoutMs: 5_000,
  retryBackoffMs: 5,
  retryBackoffMaxMs: 40,
  reconnectBackoffMs: 5,
  reconnectBackoffMaxMs: 40,
  socketConnectionSetupTimeoutMs: 300,
  enableMetricsPush: false,
} as const satisfies Partial<ClientOptionsInput>

export async function brokerWith(options: Parameters<typeof startBroker>[0] = {}): Promise<Broker> {
  const broker = await startBroker(options)
  afterwards(() => broker.close())
  return broker
}

export function clientOf(bootstrapServers: string | string[], options: Partial<ClientOptionsInput> = {}): Client {
  const client = new Client({ ...impatient, bootstrapServers, ...options })
  afterwards(() => client.close({ timeoutMs: 100 }))
  return client
}

export async function clusterOf(
  nodes: number,
  topics: Record<string, number> = { t: 6 },
  options: Partial<ClientOptionsInput> = {},
) {
  const broker = await brokerWith({ nodes, topics, autoCreateTopics: false })
  return { broker, client: clientOf(broker.bootstrapServers, options) }
}

/** A logger that keeps its lines, fields and all. */
export function recorder(): { logger: Logger; lines: string[] } {
  const lines: string[] = []
  const write = (level: string) => (fields: object, message: string) => {
    const text = JSON.stringify(fields, (_, value: unknown) =>
      value instanceof Error ? `${value.stack} ${JSON.stringify(value)}` : typeof value === 'bigint' ? String(value) : value,
    )
    lines.push(`${level} ${message} ${text}`)
  }
  const logger: Logger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => logger,
  }
  return { logger, lines }
}
