import { z } from 'zod'
import type { ClientHooks } from '../telemetry/hooks.ts'
import { type Address, bootstrapAddresses } from '../util/address.ts'
import { type Logger, silent } from '../util/logger.ts'
import { conforms, isObject, ms, parseOptions } from '../util/options.ts'
import { sasl, tls } from './security-options.ts'

const bootstrapServers = z
  .union([z.string(), z.array(z.string())], { error: "expected 'host:port,host:port' or an array of 'host:port'" })
  .transform((servers, context): readonly Address[] => {
    try {
      return bootstrapAddresses(servers)
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
      return z.NEVER
    }
  })

const logger = z.custom<Logger>(
  value =>
    isObject(value) &&
    ['debug', 'info', 'warn', 'error', 'child'].every(method => typeof Reflect.get(value, method) === 'function'),
  { error: 'expected a logger with debug, info, warn, error and child, such as pino()' },
)

const hook = z.custom<() => void>(value => typeof value === 'function', 'expected a function').optional()
const hookNames = { onConnect: hook, onDisconnect: hook, onWrite: hook, onRead: hook, onThrottle: hook, onRetry: hook }
const literalHooks = conforms(z.strictObject(hookNames satisfies Record<keyof ClientHooks, unknown>))
const hooksOfClass = conforms(z.looseObject(hookNames))
const hooks = z
  .custom<ClientHooks>(isObject, { error: `expected an object of functions: ${Object.keys(hookNames).join(', ')}` })
  // An object of a class has fields of its own.
  .superRefine((given, context) =>
    (Object.getPrototypeOf(given) === Object.prototype ? literalHooks : hooksOfClass)(given, context),
  )

/** What every client takes: producers, consumers and admins spread this into their own strict objects. */
export const clientOptionsShape = {
  bootstrapServers: bootstrapServers.describe(
    "Where to find the cluster at first: 'host:port,host:port' or an array. One that answers is enough; two or three survive the loss of one.",
  ),
  clientId: z
    .string()
    .nullable()
    .default('kafkawire')
    .describe('Name of this client in the logs, metrics and quotas of the brokers.'),
  rack: z
    .string()
    .default('')
    .describe('Where this client runs, to fetch from a replica nearby (KIP-392) and to assign by rack (KIP-881).'),
  tls: tls
    .prefault(false)
    .describe(
      'true, or options of node:tls: ca, cert, key (PEM), servername … A function is asked anew for each connection, so renewed certificates are picked up.',
    ),
  sasl: sasl.optional().describe('How to authenticate: { mechanism, … }, or an authenticator of your own.'),
  requestTimeoutMs: ms
    .min(1)
    .default(30_000)
    .describe('How long one request waits for its answer before its connection is given up.'),
  defaultApiTimeoutMs: ms
    .min(1)
    .default(60_000)
    .describe('How long an operation may take with all its retries, unless the call says otherwise.'),
  retries: ms
    .default(0x7fffffff)
    .describe('How often a failed request is tried again; the timeout of the operation bounds it as well.'),
  retryBackoffMs: ms
    .default(100)
    .describe('Wait before the first retry; it doubles up to retryBackoffMaxMs, give or take 20 % (KIP-580).'),
  retryBackoffMaxMs: ms.default(1_000).describe('Longest wait before a retry.'),
  reconnectBackoffMs: ms
    .default(50)
    .describe('Wait before the first reconnect to a broker; it doubles up to reconnectBackoffMaxMs, give or take 20 %.'),
  reconnectBackoffMaxMs: ms.default(1_000).describe('Longest wait before a reconnect.'),
  socketConnectionSetupTimeoutMs: ms
    .min(1)
    .default(10_000)
    .describe(
      'How long a connection may take to be set up; it doubles at each failure up to socketConnectionSetupTimeoutMaxMs (KIP-601).',
    ),
  socketConnectionSetupTimeoutMaxMs: ms.min(1).default(30_000).describe('Longest time for a connection to be set up.'),
  connectionsMaxIdleMs: ms.default(540_000).describe('An unused connection is closed after this time; 0 keeps it open.'),
  metadataMaxAgeMs: ms
    .default(300_000)
    .describe(
      'Topics, partitions and leaders are asked for again after this time even if nothing hints at a change; 0 asks only when needed.',
    ),
  metadataMaxIdleMs: ms.min(5_000).default(300_000).describe('A topic that nobody asked about for this time is forgotten.'),
  metadataRecoveryStrategy: z
    .enum(['rebootstrap', 'none'])
    .default('rebootstrap')
    .describe(
      'What to do when none of the known brokers answers: start over from bootstrapServers, or keep trying the known ones (KIP-899).',
    ),
  metadataRecoveryRebootstrapTriggerMs: ms
    .default(300_000)
    .describe('Start over from bootstrapServers when no broker gave metadata for this time (KIP-1102).'),
  metadataClusterCheck: z
    .boolean()
    .default(true)
    .describe('Tell each broker which cluster and node it is expected to be, so that a reused address is noticed (KIP-1242).'),
  maxResponseBytes: z
    .int()
    .min(1_024)
    .max(0x7fffffff)
    .default(256 * 1024 * 1024)
    .describe('Largest answer accepted from a broker: a larger announcement ends the connection.'),
  enableMetricsPush: z.boolean().default(true).describe('Push client metrics to brokers that subscribe to them (KIP-714).'),
  metricsSampleWindowMs: ms.min(1).default(30_000).describe('Span of one sample of a rate, average or maximum in metrics().'),
  metricsNumSamples: z.int().min(1).max(1_000).default(2).describe('How many samples a rate, average or maximum covers.'),
  hooks: hooks.optional().describe('Functions called at each connect, disconnect, write, read, throttle and retry.'),
  logger: logger.default(silent).describe('pino(), or anything of its shape. Silent by default.'),
}

/** Java's name of each option that has one; `parseOptions` accepts them beside ours. */
export const javaNames = {
  'bootstrap.servers': 'bootstrapServers',
  'client.id': 'clientId',
  'client.rack': 'rack',
  'request.timeout.ms': 'requestTimeoutMs',
  'default.api.timeout.ms': 'defaultApiTimeoutMs',
  retries: 'retries',
  'retry.backoff.ms': 'retryBackoffMs',
  'retry.backoff.max.ms': 'retryBackoffMaxMs',
  'reconnect.backoff.ms': 'reconnectBackoffMs',
  'reconnect.backoff.max.ms': 'reconnectBackoffMaxMs',
  'socket.connection.setup.timeout.ms': 'socketConnectionSetupTimeoutMs',
  'socket.connection.setup.timeout.max.ms': 'socketConnectionSetupTimeoutMaxMs',
  'connections.max.idle.ms': 'connectionsMaxIdleMs',
  'metadata.max.age.ms': 'metadataMaxAgeMs',
  'metadata.max.idle.ms': 'metadataMaxIdleMs',
  'metadata.recovery.strategy': 'metadataRecoveryStrategy',
  'metadata.recovery.rebootstrap.trigger.ms': 'metadataRecoveryRebootstrapTriggerMs',
  'metadata.cluster.check.enable': 'metadataClusterCheck',
  'enable.metrics.push': 'enableMetricsPush',
  'metrics.sample.window.ms': 'metricsSampleWindowMs',
  'metrics.num.samples': 'metricsNumSamples',
} as const satisfies Readonly<Record<string, keyof typeof clientOptionsShape>>

/** The fields that `clientRules` looks at. */
export interface ClientRuleFields {
  readonly requestTimeoutMs: number
  readonly defaultApiTimeoutMs: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
  readonly reconnectBackoffMs: number
  readonly reconnectBackoffMaxMs: number
  readonly socketConnectionSetupTimeoutMs: number
  readonly socketConnectionSetupTimeoutMaxMs: number
}

/** Rules across options, for `superRefine` of any object that spreads `clientOptionsShape`. Zod runs them once each field is fine. */
export function clientRules(
  options: ClientRuleFields,
  context: { addIssue(issue: { code: 'custom'; path: string[]; message: string }): void },
): void {
  const atLeast = (option: keyof ClientRuleFields, least: keyof ClientRuleFields) => {
    if (options[option] >= options[least]) return
    context.addIssue({
      code: 'custom',
      path: [option],
      message: `must be at least ${least} (${options[least]}), but is ${options[option]}: raise ${option} or lower ${least}`,
    })
  }
  atLeast('defaultApiTimeoutMs', 'requestTimeoutMs')
  atLeast('retryBackoffMaxMs', 'retryBackoffMs')
  atLeast('reconnectBackoffMaxMs', 'reconnectBackoffMs')
  atLeast('socketConnectionSetupTimeoutMaxMs', 'socketConnectionSetupTimeoutMs')
}

const clientOptions = z.strictObject(clientOptionsShape).superRefine(clientRules)

export type ClientOptions = z.output<typeof clientOptions>
export type ClientOptionsInput = z.input<typeof clientOptions>

/** Validates the options of a `Client`. Throws ConfigError. */
export const parseClientOptions = (input: ClientOptionsInput): ClientOptions => parseOptions(clientOptions, input, javaNames)
