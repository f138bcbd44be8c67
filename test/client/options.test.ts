import { describe, expect, test } from 'vitest'
import { Client } from '../../src/client/index.ts'
import { type ClientOptionsInput, clientOptionsShape, javaNames, parseClientOptions } from '../../src/client/options.ts'
import { ConfigError } from '../../src/errors.ts'

const bootstrapServers = 'localhost:9092'
const issuesOf = (options: object): readonly { path: string; message: string }[] => {
  try {
    parseClientOptions(options as ClientOptionsInput)
  } catch (error) {
    if (error instanceof ConfigError) return error.issues
    throw error
  }
  return []
}

describe('client options', () => {
  test("defaults are the Java client's", () => {
    expect(parseClientOptions({ bootstrapServers })).toMatchObject({
      requestTimeoutMs: 30_000,
      defaultApiTimeoutMs: 60_000,
      retryBackoffMs: 100,
      retryBackoffMaxMs: 1_000,
      reconnectBackoffMs: 50,
      reconnectBackoffMaxMs: 1_000,
      socketConnectionSetupTimeoutMs: 10_000,
      socketConnectionSetupTimeoutMaxMs: 30_000,
      connectionsMaxIdleMs: 540_000,
      metadataMaxAgeMs: 300_000,
      metadataMaxIdleMs: 300_000,
      metadataRecoveryStrategy: 'rebootstrap',
      metadataRecoveryRebootstrapTriggerMs: 300_000,
    })
  })

  test("Java's names are accepted; one option under both names is refused", () => {
    const options = parseClientOptions({ 'bootstrap.servers': 'a:1', 'request.timeout.ms': 5 } as unknown as ClientOptionsInput)
    expect(options).toMatchObject({ bootstrapServers: [{ host: 'a', port: 1 }], requestTimeoutMs: 5 })
    expect(issuesOf({ bootstrapServers, 'client.id': 'x', clientId: 'y' })[0]?.message).toMatch(/as client\.id and as clientId/)
    for (const ours of Object.values(javaNames)) expect(Object.keys(clientOptionsShape)).toContain(ours)
  })

  test('an unknown option is refused by name, with the nearest known one', () => {
    expect(issuesOf({ bootstrapServers, requestTimoutMs: 1 })).toEqual([
      { path: 'requestTimoutMs', message: 'unknown option: did you mean requestTimeoutMs?' },
    ])
    // Cut short, or as another client calls it.
    expect(issuesOf({ bootstrapServers, log: {} })[0]?.message).toBe('unknown option: did you mean logger?')
    expect(issuesOf({ bootstrapServers, retryBackoff: 1 })[0]?.message).toBe('unknown option: did you mean retryBackoffMs?')
    expect(issuesOf({ brokers: ['a:1'] }).at(-1)?.message).toBe('unknown option: did you mean bootstrapServers?')
  })

  test('rules across options say which to change; they run once each option is fine by itself', () => {
    const slow = { bootstrapServers, requestTimeoutMs: 70_000, retryBackoffMs: 2_000 }
    expect(issuesOf(slow).map(issue => issue.path)).toEqual(['defaultApiTimeoutMs', 'retryBackoffMaxMs'])
    expect(issuesOf(slow)[0]?.message).toBe(
      'must be at least requestTimeoutMs (70000), but is 60000: raise defaultApiTimeoutMs or lower requestTimeoutMs',
    )
    expect(issuesOf({ ...slow, clientId: 7 }).map(issue => issue.path)).toEqual(['clientId'])
  })

  test.each([
    [{ bootstrapServers: 'a:b:c' }, 'bootstrapServers', /expected 'host:port'/],
    [{ bootstrapServers: 7 }, 'bootstrapServers', /host:port/],
    [{ bootstrapServers, logger: console.log }, 'logger', /pino/],
    [{ bootstrapServers, tls: 'yes' }, 'tls', /node:tls/],
    [{ bootstrapServers, sasl: { mechanism: 'GSSAPI' } }, 'sasl.mechanism', /start\(\)/],
    [{ bootstrapServers, requestTimeoutMs: -1 }, 'requestTimeoutMs', /./],
  ])('%j is refused', (options, path, message) => {
    const [issue] = issuesOf(options)
    expect(issue?.path).toBe(path)
    expect(issue?.message).toMatch(message)
  })

  test('a client is refused by its constructor, before any I/O', () => {
    expect(() => new Client({ bootstrapServers: [] })).toThrow(ConfigError)
  })
})
