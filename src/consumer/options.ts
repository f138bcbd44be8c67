import { z } from 'zod'
import type { Client } from '../client/client.ts'
import { type ClientOptionsInput, clientOptionsShape, clientRules, javaNames } from '../client/options.ts'
import { bytes, type Serde } from '../serde/index.ts'
import { byteCount, checkObject, ms, parseOptions } from '../util/options.ts'

/** Where to start a partition that has no committed offset, or whose offset is gone from the log. */
export type OffsetReset = 'earliest' | 'latest' | 'none' | { readonly durationMs: number }

const isSerde = (value: unknown): value is Serde<unknown> =>
  typeof value === 'object' && value !== null && 'deserialize' in value && typeof value.deserialize === 'function'
const serde = z.custom<Serde<unknown>>(isSerde, 'must be a serde, such as string or json(schema)').default(() => bytes)

const reset = z
  .union([
    z.enum(['earliest', 'latest', 'none']),
    z.strictObject({ durationMs: z.number().int().nonnegative() }),
    z.templateLiteral(['by_duration:', z.string()]),
  ])
  .transform((value, context): OffsetReset => {
    if (typeof value !== 'string' || !value.startsWith('by_duration:')) return value as OffsetReset
    const durationMs = isoDurationMs(value.slice('by_duration:'.length))
    if (durationMs !== undefined) return { durationMs }
    context.addIssue({ code: 'custom', message: `${value} is not by_duration:PnDTnHnMn.nS, such as by_duration:PT1H` })
    return z.NEVER
  })

/** The ISO-8601 durations that Java's `Duration.parse` takes, without a sign. */
function isoDurationMs(text: string): number | undefined {
  const match = /^P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i.exec(text)
  if (!match?.slice(1).some(Boolean)) return undefined
  const [days = '0', hours = '0', minutes = '0', seconds = '0'] = match.slice(1)
  return Math.round((((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000)
}

const ownShape = {
  /** The consumer group. Without one there are no commits, and `subscribe` reads every partition of its topics. */
  groupId: z.string().min(1).optional(),
  /** Makes the member static (KIP-345): it keeps its partitions over a restart shorter than `sessionTimeoutMs`. */
  groupInstanceId: z
    .string()
    .regex(/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/, 'takes 1 to 249 of A-Z a-z 0-9 . _ -')
    .optional(),
  /** `classic`: the clients of a group agree among themselves (JoinGroup, SyncGroup). */
  groupProtocol: z.enum(['classic']).default('classic'),
  /** How the leader of a classic group spreads partitions, in order of preference; all members must share one. */
  assignors: z
    .array(z.enum(['range']))
    .min(1)
    .default(['range']),
  /** How long the coordinator waits for a heartbeat before it takes the member for dead. */
  sessionTimeoutMs: ms.positive().default(45_000),
  /** How often the coordinator hears from the member, whatever the handlers do. */
  heartbeatIntervalMs: ms.positive().default(3_000),
  /** The longest time between two calls of `poll()` or `next()`; a member that takes longer leaves its group. */
  maxPollIntervalMs: ms.positive().default(300_000),
  /** Most records that one `poll()` returns, over all partitions. */
  maxPollRecords: z.int().positive().default(500),
  /** Where a partition without a committed offset starts: `earliest`, `latest`, `none` (an error), or so long ago. */
  autoOffsetReset: reset.default('latest'),
  /** Commits what is done, every `autoCommitIntervalMs`, on revocation and on close. Default: true with a group. */
  enableAutoCommit: z.boolean().optional(),
  /** How often what is done is committed, when `enableAutoCommit` is on. */
  autoCommitIntervalMs: ms.default(5_000),
  /** `read_committed`: records of open or aborted transactions are not delivered. */
  isolationLevel: z.enum(['read_uncommitted', 'read_committed']).default('read_uncommitted'),
  /** A broker answers a fetch once it has this many bytes, or after `fetchMaxWaitMs`. */
  fetchMinBytes: byteCount.default(1),
  /** How long a broker may hold a fetch back until `fetchMinBytes` are there. */
  fetchMaxWaitMs: ms.default(500),
  /**
   * Most bytes of one fetch response; `fetchBufferBytes` bounds it further, and 2 MiB (or `maxPartitionFetchBytes`) does while
   * answers come within 50 ms.
   */
  fetchMaxBytes: byteCount.default(52_428_800),
  /** Most bytes per partition of one fetch response; the first batch comes whole even if it is larger. */
  maxPartitionFetchBytes: byteCount.default(1_048_576),
  /** Most bytes of fetched, not yet delivered data held at once, a response on its way included. */
  fetchBufferBytes: byteCount.min(65_536).default(16 * 1_048_576),
  /** Most bytes one compressed batch may expand to. */
  maxBatchBytes: byteCount.default(256 * 1_048_576),
  /** Verify the checksum of each batch. */
  checkCrcs: z.boolean().default(true),
  /** Whether asking for an unknown topic may create it, where the broker does so. */
  allowAutoCreateTopics: z.boolean().default(true),
  /** Whether a pattern leaves out internal topics such as `__consumer_offsets`. */
  excludeInternalTopics: z.boolean().default(true),
  /** How record keys are read. Default `bytes`. */
  key: serde,
  /** How record values are read. Default `bytes`. */
  value: serde,
  /** Hears of trouble that reaches no caller: a failed auto-commit, a lost group membership. Must not throw. */
  onError: z.custom<(error: Error) => void>(value => typeof value === 'function', 'must be a function').optional(),
}

const rules = (
  options: {
    groupId?: string | undefined
    groupInstanceId?: string | undefined
    enableAutoCommit?: boolean | undefined
    heartbeatIntervalMs: number
    sessionTimeoutMs: number
    fetchMaxWaitMs: number
    requestTimeoutMs?: number
    fetchMaxBytes: number
    maxResponseBytes?: number
  },
  context: z.RefinementCtx,
) => {
  const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
  if (options.groupId === undefined && options.groupInstanceId !== undefined)
    issue('groupInstanceId', 'needs a groupId: a static member belongs to a group')
  if (options.groupId === undefined && options.enableAutoCommit)
    issue('enableAutoCommit', 'needs a groupId: offsets are committed for a group')
  if (options.heartbeatIntervalMs >= options.sessionTimeoutMs)
    issue('heartbeatIntervalMs', 'must be below sessionTimeoutMs, best at most a third of it')
  if (options.requestTimeoutMs !== undefined && options.fetchMaxWaitMs >= options.requestTimeoutMs)
    issue('fetchMaxWaitMs', 'must be below requestTimeoutMs, or every idle fetch would time out')
  if (options.maxResponseBytes !== undefined && options.fetchMaxBytes >= options.maxResponseBytes)
    issue('fetchMaxBytes', 'must be below maxResponseBytes: a larger answer ends the connection')
}

const schema = z
  .strictObject({ ...clientOptionsShape, ...ownShape })
  .superRefine(clientRules)
  .superRefine(rules)
const sharedSchema = z.strictObject(ownShape).superRefine(rules)

/** Java's property names of what `ownShape` holds. */
export const consumerJavaNames: Readonly<Record<string, string>> = {
  'group.id': 'groupId',
  'group.instance.id': 'groupInstanceId',
  'group.protocol': 'groupProtocol',
  'session.timeout.ms': 'sessionTimeoutMs',
  'heartbeat.interval.ms': 'heartbeatIntervalMs',
  'max.poll.interval.ms': 'maxPollIntervalMs',
  'max.poll.records': 'maxPollRecords',
  'auto.offset.reset': 'autoOffsetReset',
  'enable.auto.commit': 'enableAutoCommit',
  'auto.commit.interval.ms': 'autoCommitIntervalMs',
  'isolation.level': 'isolationLevel',
  'fetch.min.bytes': 'fetchMinBytes',
  'fetch.max.wait.ms': 'fetchMaxWaitMs',
  'fetch.max.bytes': 'fetchMaxBytes',
  'max.partition.fetch.bytes': 'maxPartitionFetchBytes',
  'check.crcs': 'checkCrcs',
  'allow.auto.create.topics': 'allowAutoCreateTopics',
  'exclude.internal.topics': 'excludeInternalTopics',
}

type OwnInput = z.input<z.ZodObject<typeof ownShape>>
/** The options of a consumer besides those of its connections. */
export interface ConsumerOwnOptions<K, V> extends Omit<OwnInput, 'key' | 'value'> {
  /** How record keys are read. Default `bytes`. */
  readonly key?: Serde<K>
  /** How record values are read. Default `bytes`. */
  readonly value?: Serde<V>
}
/** What `new Consumer` takes: its own options, and either those of a client or a client that is already there. */
export type ConsumerOptionsInput<K = Uint8Array | null, V = Uint8Array | null> = ConsumerOwnOptions<K, V> &
  (ClientOptionsInput | { readonly client: Client })

/** Validated, with every default filled in. */
export interface ConsumerOptions extends z.output<z.ZodObject<typeof ownShape>> {
  readonly enableAutoCommit: boolean
}

/** Validates what the user gave; `client` says which part belongs to the connections. Throws ConfigError. */
export function parseConsumerOptions(input: object): {
  readonly own: ConsumerOptions
  readonly client: { readonly shared: Client } | { readonly options: ClientOptionsInput }
} {
  checkObject(input)
  if ('client' in input && input.client !== undefined) {
    const { client, ...rest } = input
    const own = parseOptions(sharedSchema, rest, consumerJavaNames)
    return { own: completed(own), client: { shared: client as Client } }
  }
  const all: Record<string, unknown> = parseOptions(schema, input, { ...javaNames, ...consumerJavaNames })
  const own = Object.fromEntries(Object.entries(all).filter(([name]) => name in ownShape))
  // The client parses its own part once more, from what the user wrote: parsing is not idempotent.
  const rest = Object.entries(input).filter(([name]) => !(name in ownShape) && !(name in consumerJavaNames))
  return {
    own: completed(own as unknown as z.output<typeof sharedSchema>),
    client: { options: Object.fromEntries(rest) as unknown as ClientOptionsInput },
  }
}

function completed(own: z.output<typeof sharedSchema>): ConsumerOptions {
  return { ...own, enableAutoCommit: own.enableAutoCommit ?? own.groupId !== undefined }
}

/** For what is made from the schema: documentation, Java's properties. */
export { ownShape as consumerOptionsShape }
