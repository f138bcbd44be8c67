import { z } from 'zod'
import type { Client } from '../client/client.ts'
import { type ClientOptionsInput, javaNames as clientJavaNames, clientOptionsShape, clientRules } from '../client/options.ts'
import type { Codec } from '../protocol/compression/codec.ts'
import { levelFault } from '../protocol/compression/levels.ts'
import { bytes, type Serde } from '../serde/index.ts'
import { byteCount, checkObject, ms, parseOptions } from '../util/options.ts'
import type { Partitioner } from './partitioner.ts'

const isFunction = (value: unknown): boolean => typeof value === 'function'
const isSerde = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'serialize' in value && isFunction(value.serialize)
const serde = z
  .custom<Serde<unknown>>(isSerde, 'must be a serde, such as string or json(schema)')
  .default(() => bytes as Serde<unknown>)

const acks = z
  .union([z.enum(['all', '-1', '1', '0']), z.literal([-1, 0, 1])], { error: "takes 'all' (or -1), 1 or 0" })
  .transform((value): 'all' | 1 | 0 => (String(value) === '1' ? 1 : String(value) === '0' ? 0 : 'all'))

const ownShape = {
  acks: acks
    .default('all')
    .describe(
      "When a record counts as sent: 'all' in-sync replicas have it, 1 (the leader has it), or 0 (it left for the broker).",
    ),
  idempotent: z
    .boolean()
    .optional()
    .describe(
      'Whether the broker drops what a retry would store twice, and keeps the order. Default: true where acks and maxInFlightRequests allow it; a broker older than 0.11 then costs a warning. Asked for explicitly, it is an error there.',
    ),
  lingerMs: ms.default(5).describe('How long a batch that is not full waits for more records.'),
  batchSize: byteCount
    .default(16_384)
    .describe('A batch is sent at once when it holds this many bytes, before compression. 0 sends each record by itself.'),
  bufferMemory: byteCount
    .min(65_536)
    .default(33_554_432)
    .describe('Most bytes of records waiting for their acknowledgement. Then send() waits, and enqueue() returns false.'),
  maxBlockMs: ms.default(60_000).describe('How long send() may wait for room in the buffer, or for the metadata of its topic.'),
  maxRequestSize: byteCount.default(1_048_576).describe('Most bytes of one request, and of one record.'),
  maxInFlightRequests: z.int().min(1).default(5).describe('Most unanswered requests per broker; at most 5 when idempotent.'),
  deliveryTimeoutMs: ms
    .default(120_000)
    .describe('How long after send() a record may stay unacknowledged, with all retries, before it fails.'),
  compression: z.enum(['none', 'gzip', 'snappy', 'lz4', 'zstd']).default('none').describe('How batches are compressed.'),
  compressionLevel: z
    .int()
    .optional()
    .describe('gzip 1 to 9 or -1, lz4 1 to 17, zstd -131072 to 22 (KIP-390). Default: that of the codec.'),
  partitioner: z
    .custom<Partitioner>(isFunction, 'must be a function of a record and its topic that returns a partition')
    .optional()
    .describe(
      'Chooses the partition of a record that names none. Default: by the hash of the key as Java does, else evenly by bytes (KIP-794).',
    ),
  partitionerIgnoreKeys: z.boolean().default(false).describe('Spread records that have a key evenly as well.'),
  partitionerAdaptive: z
    .boolean()
    .default(true)
    .describe('Give fewer records without a key to partitions that have more waiting already.'),
  partitionerAvailabilityTimeoutMs: ms
    .default(0)
    .describe('A partition whose broker took nothing for this time gets no records without a key. 0: any broker may get some.'),
  allowAutoCreateTopics: z
    .boolean()
    .default(true)
    .describe('Whether asking for an unknown topic may create it, where the broker does so.'),
  key: serde.describe('How record keys are written. Default: bytes.'),
  value: serde.describe('How record values are written. Default: bytes.'),
  onError: z
    .custom<(error: Error, failed: { topic: string; partition?: number | undefined; records: number }) => void>(
      isFunction,
      'must be a function',
    )
    .optional()
    .describe('Hears of enqueued records that could not be delivered. Without it they cost one logged line. Must not throw.'),
}

interface RuleFields {
  readonly acks: 'all' | 0 | 1
  readonly idempotent?: boolean | undefined
  readonly maxInFlightRequests: number
  readonly lingerMs: number
  readonly deliveryTimeoutMs: number
  readonly bufferMemory: number
  readonly maxRequestSize: number
  readonly compression: Codec
  readonly compressionLevel?: number | undefined
}

function ownRules(options: RuleFields, context: z.RefinementCtx): void {
  const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
  if (options.idempotent && options.acks !== 'all')
    issue('acks', "must be 'all' when idempotent is asked for: leave acks out, or set idempotent to false")
  if (options.idempotent && options.maxInFlightRequests > 5)
    issue('maxInFlightRequests', 'must be at most 5 when idempotent is asked for: brokers remember 5 batches per producer')
  if (options.maxRequestSize > options.bufferMemory)
    issue('bufferMemory', 'must be at least maxRequestSize, or a record of that size would never fit: raise bufferMemory')
  const fault = levelFault(options.compression, options.compressionLevel)
  if (fault) issue('compressionLevel', fault)
}

const schema = z.strictObject({ ...clientOptionsShape, ...ownShape }).superRefine((options, context) => {
  clientRules(options, context)
  ownRules(options, context)
  if (options.deliveryTimeoutMs < options.lingerMs + options.requestTimeoutMs)
    context.addIssue({
      code: 'custom',
      path: ['deliveryTimeoutMs'],
      message: `must be at least lingerMs + requestTimeoutMs (${options.lingerMs + options.requestTimeoutMs}), or no request could ever be repeated`,
    })
})
const sharedSchema = z.strictObject(ownShape).superRefine(ownRules)

/** Java's property names of the producer's own options. */
export const producerJavaNames: Readonly<Record<string, string>> = {
  acks: 'acks',
  'enable.idempotence': 'idempotent',
  'linger.ms': 'lingerMs',
  'batch.size': 'batchSize',
  'buffer.memory': 'bufferMemory',
  'max.block.ms': 'maxBlockMs',
  'max.request.size': 'maxRequestSize',
  'max.in.flight.requests.per.connection': 'maxInFlightRequests',
  'delivery.timeout.ms': 'deliveryTimeoutMs',
  'compression.type': 'compression',
  'partitioner.ignore.keys': 'partitionerIgnoreKeys',
  'partitioner.adaptive.partitioning.enable': 'partitionerAdaptive',
  'partitioner.availability.timeout.ms': 'partitionerAvailabilityTimeoutMs',
}

type OwnInput = z.input<z.ZodObject<typeof ownShape>>
export type ProducerOptions = z.output<typeof sharedSchema>

/** The options of a producer besides those of its connections. */
export interface ProducerOwnOptions<K, V> extends Omit<OwnInput, 'key' | 'value'> {
  /** How record keys are written. Default `bytes`. */
  readonly key?: Serde<K>
  /** How record values are written. Default `bytes`. */
  readonly value?: Serde<V>
}
/** What `new Producer` takes: its own options, and either those of a client or a client that is already there. */
export type ProducerOptionsInput<K = Uint8Array | null, V = Uint8Array | null> = ProducerOwnOptions<K, V> &
  (ClientOptionsInput | { readonly client: Client })

/** Validated options: the producer's own, and those its client is made from unless one was given. Throws ConfigError. */
export function parseProducerOptions(input: object): { own: ProducerOptions; client: Client | ClientOptionsInput } {
  checkObject(input)
  if ('client' in input && input.client !== undefined) {
    const { client, ...own } = input
    return { own: parseOptions(sharedSchema, own, producerJavaNames), client: client as Client }
  }
  parseOptions(schema, input, { ...clientJavaNames, ...producerJavaNames })
  const own: Record<string, unknown> = {}
  const rest: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(input)) (isOwn(name) ? own : rest)[name] = value
  return { own: parseOptions(sharedSchema, own, producerJavaNames), client: rest as ClientOptionsInput }
}

const isOwn = (name: string): boolean => name in ownShape || name in producerJavaNames

/** For what is made from the schema: documentation, Java's properties. */
export { ownShape as producerOptionsShape }
