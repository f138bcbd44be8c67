/**
 * The message DSL: what a Kafka message looks like in *every* version, stated once.
 *
 *   partitions: array({ index: int32, leaderEpoch: int32.since(7).default(-1) }).since(1)
 *
 * A field is an immutable value; every modifier returns a copy, so `int32` is shared by all messages. A shape is a plain
 * object and may be shared as well: Kafka's "common structs" are constants. Property order in a shape IS the wire order
 * (JS keeps string keys in insertion order).
 */
import { KafkaError } from '../errors.ts'

export type Primitive =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'int64'
  | 'float64'
  | 'string'
  | 'legacyString'
  | 'bytes'
  | 'uuid'
  | 'records'

// ---- static types: `out` is what decoding yields, `in` what encoding takes. Phantom: no value has these members.

export interface Type {
  readonly out: unknown
  readonly in: unknown
}
export interface Scalar<T> extends Type {
  readonly out: T
  readonly in: T
}
export interface List<T extends Type> extends Type {
  readonly out: T['out'][]
  readonly in: readonly T['in'][]
}
export interface Nullable<T extends Type> extends Type {
  readonly out: T['out'] | null
  readonly in: T['in'] | null
}
export interface Struct<S extends Shape> extends Type {
  readonly out: DecodedShape<S>
  readonly in: EncodableShape<S>
}

/** Every field of every version; the ones a version lacks hold their default. */
export type DecodedShape<S extends Shape> = { [K in keyof S]: S[K]['_type']['out'] }
/** Fields that have a default, or that some version lacks, may be omitted. */
export type EncodableShape<S extends Shape> = {
  [K in keyof S as S[K]['_optional'] extends true ? never : K]: S[K]['_type']['in']
} & { [K in keyof S as S[K]['_optional'] extends true ? K : never]?: S[K]['_type']['in'] | undefined }

// ---- fields

export type Wire =
  | { readonly kind: 'primitive'; readonly primitive: Primitive }
  | { readonly kind: 'array'; readonly element: Wire }
  | { readonly kind: 'struct'; readonly shape: Shape }

/** In which versions, and how, a field appears. Bounds are inclusive. */
export interface Presence {
  readonly since: number
  readonly until: number
  readonly nullableSince: number
  readonly tag: number | undefined
  readonly fallback: unknown
  readonly ignorable: boolean
  /** What the value names, so that routing and tools find it: Kafka's `entityType`. */
  readonly entity: Entity | undefined
  /** Kafka keys the surrounding array by this field: no two elements share it. */
  readonly mapKey: boolean
  readonly role: Role | undefined
}

export type Entity = 'topicName' | 'groupId' | 'transactionalId' | 'producerId' | 'brokerId'
/** The fields that every client looks at whatever the message. */
export type Role = 'errorCode' | 'throttleTimeMs' | 'timeoutMs'

export interface AnyField {
  readonly wire: Wire
  readonly presence: Presence
  readonly _type: Type
  readonly _optional: boolean
}
export type Shape = { readonly [name: string]: AnyField }

export interface Field<T extends Type, Optional extends boolean = false> extends AnyField {
  readonly _type: T
  readonly _optional: Optional
  /** First version that has the field. */
  since(version: number): Field<T, true>
  /** Last version that has the field. */
  until(version: number): Field<T, true>
  /** May be null. This alone does not make null the default, just as in Kafka's definitions: see `default`. */
  nullable(): Field<Nullable<T>, Optional>
  /** First version in which the field may be null; before it, encoding null throws. */
  nullableSince(version: number): Field<Nullable<T>, Optional>
  /** What stands for an omitted field, and makes it one that may be. What a version lacks is otherwise zero, '', no bytes, [], the all-zero uuid, a struct of defaults. Of bytes, arrays and structs null only. Throws KafkaError ERR_INVALID_ARGUMENT. */
  default(value: T['out']): Field<T, true>
  /** A KIP-482 tagged field: written only when it differs from its default. */
  tag(tag: number): Field<T, true>
  /** Losing a non-default value to a version that lacks the field is harmless; without this, encoding throws. */
  ignorable(): Field<T, Optional>
  /** This field is the key of the array around it (Kafka's `mapKey`). */
  mapKey(): Field<T, Optional>
}

export const NEVER = 0x7fff
export const ALWAYS: Presence = {
  since: 0,
  until: NEVER,
  nullableSince: NEVER,
  tag: undefined,
  fallback: undefined,
  ignorable: false,
  entity: undefined,
  mapKey: false,
  role: undefined,
}

class FieldDefinition {
  readonly wire: Wire
  readonly presence: Presence
  constructor(wire: Wire, presence: Presence = ALWAYS) {
    this.wire = wire
    this.presence = presence
  }
  private with(change: Partial<Presence>) {
    return new FieldDefinition(this.wire, { ...this.presence, ...change })
  }
  since(since: number) {
    return this.with({ since })
  }
  until(until: number) {
    return this.with({ until })
  }
  nullable() {
    return this.with({ nullableSince: 0 })
  }
  nullableSince(nullableSince: number) {
    return this.with({ nullableSince })
  }
  default(fallback: unknown) {
    if (typeof fallback === 'object' && fallback !== null)
      throw new KafkaError(
        'ERR_INVALID_ARGUMENT',
        `a default of ${this.wire.kind === 'primitive' ? this.wire.primitive : this.wire.kind} can be null only, as in Kafka's own definitions: ` +
          'what a version lacks is empty, or a struct of defaults',
      )
    return this.with({ fallback })
  }
  tag(tag: number) {
    return this.with({ tag })
  }
  ignorable() {
    return this.with({ ignorable: true })
  }
  mapKey() {
    return this.with({ mapKey: true })
  }
}

const scalar = <T>(primitive: Primitive, change: Partial<Presence> = {}) =>
  new FieldDefinition({ kind: 'primitive', primitive }, { ...ALWAYS, ...change }) as unknown as Field<Scalar<T>>

/**
 * A flag left out is false, as in Kafka's own generated classes. Those give every field such a default; here a number, a text or
 * an array must be given unless the definition says otherwise, since partition 0, offset 0 or no topics at all may be meant, and
 * an oversight would be sent as if it were. A flag that is not set has one meaning only.
 */
export const bool = scalar<boolean>('bool').default(false)
export const int8 = scalar<number>('int8')
export const int16 = scalar<number>('int16')
export const uint16 = scalar<number>('uint16')
export const int32 = scalar<number>('int32')
export const int64 = scalar<bigint>('int64')
export const float64 = scalar<number>('float64')
export const string = scalar<string>('string')
/** Keeps its int16 length in flexible versions too: the request header's clientId, which every broker must be able to read. */
export const legacyString = scalar<string>('legacyString')
export const bytes = scalar<Uint8Array>('bytes')
export const records = scalar<Uint8Array>('records')
/** Unpadded url-safe base64, Kafka's own text form. */
export const uuid = scalar<string>('uuid')
/** The all-zero uuid, which stands for "no id". */
export const NO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'
/** Bytes of which there are none; shared, as nobody can write into them. */
export const NO_BYTES = Buffer.alloc(0)

export const topicName = scalar<string>('string', { entity: 'topicName' })
export const groupId = scalar<string>('string', { entity: 'groupId' })
export const transactionalId = scalar<string>('string', { entity: 'transactionalId' })
export const producerId = scalar<bigint>('int64', { entity: 'producerId' })
export const brokerId = scalar<number>('int32', { entity: 'brokerId' })
/** 0, or a row of `error-codes.ts`. */
export const errorCode = scalar<number>('int16', { role: 'errorCode' })
/** How long the broker held the answer back, or asks the client to stay quiet, for a quota (KIP-124, KIP-219). */
export const throttleTimeMs = scalar<number>('int32', { role: 'throttleTimeMs' })
/** How long the broker may work on the request. */
export const timeoutMs = scalar<number>('int32', { role: 'timeoutMs' })

export function struct<S extends Shape>(shape: S): Field<Struct<S>> {
  return new FieldDefinition({ kind: 'struct', shape }) as never
}

/** `array(int32)`, or `array({ … })` for an array of structs. */
export function array<T extends Type>(element: Field<T, boolean>): Field<List<T>>
export function array<S extends Shape>(element: S): Field<List<Struct<S>>>
export function array(element: AnyField | Shape): never {
  if (!(element instanceof FieldDefinition))
    return new FieldDefinition({ kind: 'array', element: { kind: 'struct', shape: element as Shape } }) as never
  const { wire, presence } = element
  return new FieldDefinition({ kind: 'array', element: wire }, { ...ALWAYS, entity: presence.entity }) as never
}

// ---- messages

// biome-ignore lint/suspicious/noExplicitAny: `any` is the only shape that every message is assignable to
export interface Message<S extends Shape = any> {
  readonly name: string
  readonly versions: Versions
  /** First flexible (KIP-482) version, or NEVER. */
  readonly flexible: number
  readonly shape: S
}
export type Versions = readonly [min: number, max: number]
export type Decoded<M extends Message> = DecodedShape<M['shape']>
export type Encodable<M extends Message> = EncodableShape<M['shape']>

interface MessageDefinition<S extends Shape> {
  readonly name: string
  readonly versions: Versions
  readonly flexible?: number | undefined
  /** May be a getter: it is read once, and not before somebody needs the fields. The build makes it one (DESIGN.md, D1). */
  readonly shape: S
}

/** A message that stands alone: a header, a group member's subscription, a control record … */
export function message<S extends Shape>(definition: MessageDefinition<S>): Message<S> {
  const { name, versions, flexible = NEVER } = definition
  return new LazyMessage(name, versions, flexible, () => definition.shape)
}

/** A class, since an object literal with a getter costs a hidden class each, and importing the protocol makes 200 of them. */
class LazyMessage<S extends Shape> implements Message<S> {
  readonly name: string
  readonly versions: Versions
  readonly flexible: number
  private known: S | undefined = undefined
  private readonly read: () => S

  constructor(name: string, versions: Versions, flexible: number, read: () => S) {
    this.name = name
    this.versions = versions
    this.flexible = flexible
    this.read = read
  }

  get shape(): S {
    return (this.known ??= this.read())
  }
}

// ---- routing

/** Where a request has to go. Paths name request fields, with `[]` for "each element of". */
export type Route =
  /** Whichever broker is at hand, or the one at the other end of this connection. */
  | { readonly kind: 'any' }
  | { readonly kind: 'controller' }
  /** The leader of each partition; the answers' `results` arrays are joined, topic by topic. */
  | { readonly kind: 'leader'; readonly partitions: string; readonly results: string }
  /** The coordinator of each key; several paths where versions differ (the one that holds a value counts). */
  | { readonly kind: 'group' | 'transaction' | 'share'; readonly keys: readonly string[]; readonly results: string | undefined }
  /** All brokers; the answers' `results` arrays are joined. */
  | { readonly kind: 'eachBroker'; readonly results: readonly string[] }
  /** Depends on what is asked for: the request is split into parts, each with its own destination. */
  | { readonly kind: 'byContent'; readonly split: (request: never) => readonly RoutedPart[]; readonly results: readonly string[] }

export interface RoutedPart {
  readonly to: { readonly kind: 'any' | 'controller' } | { readonly kind: 'broker'; readonly nodeId: number }
  readonly request: unknown
}

export const anyBroker: Route = { kind: 'any' }
export const controller: Route = { kind: 'controller' }
/** `leader('topics[].partitions[].partitionIndex', 'topics[].partitions')` */
export const leader = (partitions: string, results: string): Route => ({ kind: 'leader', partitions, results })
/** `coordinator('group', 'groupId')`; with `results` when keys of several coordinators may share a request. */
export const coordinator = (
  kind: 'group' | 'transaction' | 'share',
  keys: string | readonly string[],
  results?: string,
): Route => ({
  kind,
  keys: typeof keys === 'string' ? [keys] : keys,
  results,
})
export const eachBroker = (...results: readonly string[]): Route => ({ kind: 'eachBroker', results })

// ---- APIs

// biome-ignore lint/suspicious/noExplicitAny: as for Message
export interface Api<Req extends Shape = any, Res extends Shape = any> {
  readonly key: number
  readonly name: string
  /** Last version to negotiate unless told otherwise; Kafka may still change later ones. */
  readonly stable: number
  readonly route: Route
  /** From this version on the client itself has to stay quiet for the answer's throttleTimeMs (KIP-219); NEVER if it has none. */
  readonly clientThrottlesSince: number
  readonly request: Message<Req>
  readonly response: Message<Res>
}

interface ApiDefinition<Req extends Shape, Res extends Shape> {
  readonly key: number
  readonly name: string
  readonly versions: Versions
  readonly flexible?: number
  readonly stable?: number
  readonly route: Route
  readonly clientThrottlesSince?: number
  /** May be getters, as a message's shape. */
  readonly request: Req
  readonly response: Res
}

export function api<Req extends Shape, Res extends Shape>(definition: ApiDefinition<Req, Res>): Api<Req, Res> {
  return new LazyApi(definition)
}

class LazyApi<Req extends Shape, Res extends Shape> implements Api<Req, Res> {
  readonly key: number
  readonly name: string
  readonly stable: number
  readonly route: Route
  readonly request: Message<Req>
  readonly response: Message<Res>
  private throttlesSince: number | undefined

  constructor(definition: ApiDefinition<Req, Res>) {
    const { key, name, versions, flexible = NEVER, stable = versions[1], route, clientThrottlesSince } = definition
    this.key = key
    this.name = name
    this.stable = stable
    this.route = route
    this.throttlesSince = clientThrottlesSince
    this.request = new LazyMessage(`${name}Request`, versions, flexible, () => definition.request)
    this.response = new LazyMessage(`${name}Response`, versions, flexible, () => definition.response)
  }

  get clientThrottlesSince(): number {
    return (this.throttlesSince ??= 'throttleTimeMs' in this.response.shape ? 0 : NEVER)
  }
}
