/** The requests of a connection, each with its answer. */
import { Produce } from '../protocol/apis/00-produce.ts'
import { SaslHandshake } from '../protocol/apis/17-sasl-handshake.ts'
import { ApiVersions } from '../protocol/apis/18-api-versions.ts'
import { RequestHeader, ResponseHeader, requestHeaderVersion, responseHeaderVersion } from '../protocol/header.ts'
import { apiByKey } from '../protocol/registry.ts'
import { trace } from '../protocol/trace.ts'
import {
  type Asked,
  answeredVersion,
  dissectRequest,
  dissectResponse,
  dissectToken,
  type Finding,
  type Frame,
  fault,
  knows,
  note,
  requestStart,
} from './dissect.ts'
import { type FrameRules, frameStart, framesOf } from './frames.ts'
import type { Stream } from './tcp-streams.ts'
import { Trial } from './trial.ts'

/** Everything two streams say, in the order of the requests. */
export function* conversation(requests: Stream, answers: Stream): Generator<Finding> {
  yield note(`━━ ${requests.from} → ${requests.to}`)
  const { exchanges, rest } = exchangesOf(requests)
  const others = pair(exchanges, answers, !requests.opened)
  for (const exchange of exchanges) {
    yield* exchange.before
    yield exchange.kind === 'token' ? dissectToken('→', exchange.request) : dissectRequest(exchange.request)
    yield* exchange.answers.map(answer => answer())
    if (!exchange.isAnswered && expectsAnswer(exchange))
      yield note(
        `← (no answer${exchange.correlationId === undefined ? '' : ` to correlation ${exchange.correlationId}`} in this capture)`,
      )
  }
  yield* rest
  yield* others
}

/** Whether a stream has a request in it for certain. */
export function hasRequest(stream: Stream): boolean {
  const rules = new RequestRules()
  return stream.runs.some(({ bytes }) => frameStart(bytes, 0, rules) < bytes.length)
}

interface Exchange {
  /** What keeps requests in front of this one from being read. */
  readonly before: readonly Finding[]
  readonly request: Frame
  readonly kind: 'request' | 'token' | 'unanswered'
  readonly asked: Asked | undefined
  readonly correlationId: number | undefined
  /** Made into text when printed: all of a capture at once may be too much. */
  readonly answers: (() => Finding)[]
  isAnswered: boolean
}

const expectsAnswer = ({ kind, correlationId }: Exchange): boolean =>
  kind === 'token' || (kind === 'request' && correlationId !== undefined)

function exchangesOf(requests: Stream): { exchanges: Exchange[]; rest: Finding[] } {
  const rules = new RequestRules()
  const exchanges: Exchange[] = []
  let before: Finding[] = []
  for (const item of framesOf(requests, whereOf(requests), rules)) {
    if ('text' in item) {
      before.push(item)
      continue
    }
    exchanges.push({ before, request: item, ...rules.take(item), answers: [], isAnswered: false })
    before = []
  }
  return { exchanges, rest: before }
}

const whereOf = ({ from, to }: Stream): string => `${from} → ${to}, `

export class RequestRules implements FrameRules {
  /** Between SaslHandshake v0 and the first request after it there are the mechanism's bytes alone, in both directions. */
  private tokens = false
  private lastId: number | undefined
  /** Undefined as long as it is not known. */
  private clientId: ClientId | undefined
  private readonly trial = new Trial()

  get leastBytes(): number {
    return this.tokens ? 0 : 8
  }

  begins(bytes: Buffer, at: number): boolean {
    if (this.tokens) return true
    const asked = askedIn(bytes, at + 4)
    return asked !== undefined && knows(asked)
  }

  reads(bytes: Buffer, at: number): boolean {
    // Most places are none: keys and versions have one byte that counts.
    if (bytes[at + 4] !== 0 || bytes[at + 6] !== 0) return false
    const start = requestStart(bytes, at + 4)
    const asked = askedIn(bytes, at + 4)
    if (!start || !asked || !this.follows(start.correlationId)) return false
    const size = bytes.readInt32BE(at)
    const frame = bytes.subarray(at + 4, at + 4 + size)
    const clientId = clientIdOf(frame)
    if (clientId === undefined || (this.clientId !== undefined && !isSame(clientId, this.clientId))) return false
    // Zeros are a name of no bytes, and then an empty request: in the middle of numbers that is none of Kafka.
    if (clientId?.length === 0 && this.clientId === undefined && at > 0) return false
    if (size <= frame.length) return isNewer(asked) || (knows(asked) && this.fills(frame, bytes.length, asked))
    // A frame that is not all there has little to prove it: a name that is known, or a place where one may be expected.
    return knows(asked) && (at === 0 ? isName(clientId) : Boolean(this.clientId))
  }

  private fills(frame: Buffer, streamBytes: number, { api, version }: Asked): boolean {
    return this.trial.fills(frame, streamBytes, [RequestHeader, requestHeaderVersion(api, version)], [api.request, version])
  }

  private follows(correlationId: number): boolean {
    const { lastId } = this
    return (
      lastId === undefined || correlationId >= RESERVED_IDS || (correlationId > lastId && correlationId < lastId + IDS_MISSED)
    )
  }

  /** What a frame is; to be told of each. */
  take(request: Frame): Pick<Exchange, 'kind' | 'asked' | 'correlationId'> {
    if (this.tokens && dissectRequest(request).broken) return { kind: 'token', asked: undefined, correlationId: undefined }
    const asked = askedIn(request.bytes, 0)
    const correlationId = requestStart(request.bytes)?.correlationId
    this.tokens = asked?.api.key === SaslHandshake.key && asked.version === 0
    if (correlationId !== undefined && correlationId < RESERVED_IDS) this.lastId = correlationId
    this.clientId ??= asked && clientIdOf(request.bytes)
    return { kind: asked && isSilent(asked, request.bytes) ? 'unanswered' : 'request', asked, correlationId }
  }
}

/** Java numbers what it sends for SASL from here on, in between others (KIP-368). */
const RESERVED_IDS = 0x7fff_fff8
/** So many requests may be lost at most: ids further away are taken for other bytes. */
const IDS_MISSED = 1_000_000

function askedIn(bytes: Buffer, at: number): Asked | undefined {
  const start = requestStart(bytes, at)
  const api = start && apiByKey(start.key)
  return api && { api, version: start.version }
}

const NEWEST_VERSION = 100
/** A client may ask for the versions of the broker in a version that we do not know yet (KIP-511). */
const isNewer = ({ api, version }: Asked): boolean =>
  api.key === ApiVersions.key && version > api.request.versions[1] && version < NEWEST_VERSION

/** Its bytes, null if there is none: text of as much as 32 KiB would be made for each place of a search. */
type ClientId = Buffer | null

const CLIENT_ID_AT = 8
/** Every version of the header that has one has it there. Undefined where it cannot be read. */
function clientIdOf(request: Buffer): ClientId | undefined {
  const start = CLIENT_ID_AT + 2
  if (request.length < start) return undefined
  const size = request.readInt16BE(CLIENT_ID_AT)
  if (size < 0) return size === -1 ? null : undefined
  return start + size > request.length ? undefined : request.subarray(start, start + size)
}

const isSame = (one: ClientId, other: ClientId): boolean => (one && other ? one.equals(other) : one === other)

const isName = (clientId: ClientId): boolean =>
  clientId === null || (clientId.length > 0 && clientId.every(byte => byte >= 0x20 && byte <= 0x7e))

/** Produce with acks 0 is not answered. */
function isSilent({ api, version }: Asked, request: Buffer): boolean {
  if (api.key !== Produce.key || !knows({ api, version })) return false
  const { end } = trace(RequestHeader, requestHeaderVersion(api, version), request)
  return trace(api.request, version, request, end).children.find(({ name }) => name === 'acks')?.value === 0
}

/** Gives each exchange its answers; returns what is left of the stream. */
function pair(exchanges: readonly Exchange[], answers: Stream, beginsLate: boolean): Finding[] {
  const where = whereOf(answers)
  const rules = new AnswerRules(exchanges)
  const first = exchanges[0]?.correlationId ?? Number.POSITIVE_INFINITY
  const rest: Finding[] = []
  for (const item of framesOf(answers, where, rules)) {
    const { due } = rules
    const exchange = 'text' in item ? undefined : rules.take(item)
    if (exchange && !('text' in item)) {
      exchange.isAnswered = true
      exchange.answers.push(() => answerText(item, exchange))
      continue
    }
    const other = 'text' in item ? item : stray(item, due, beginsLate ? first : Number.NEGATIVE_INFINITY)
    if (due) due.answers.push(() => other)
    else rest.push(other)
  }
  return rest
}

function answerText(frame: Frame, { kind, asked, correlationId }: Exchange): Finding {
  if (kind === 'token') return dissectToken('←', frame)
  return asked
    ? dissectResponse(frame, asked)
    : note(`← response · correlation ${correlationId} · ${frame.size} bytes, unreadable without its request`)
}

/** A response that is not the answer of any request: those before the first are from before the capture. */
function stray({ where, start, size, bytes }: Frame, due: Exchange | undefined, first: number): Finding {
  if (bytes.length < 4) return fault(where, start - 4, `the frame claims ${size} bytes, ${bytes.length} follow`)
  const id = bytes.readInt32BE(0)
  if (id < first) return note(`← response · correlation ${id} · ${size} bytes, to a request from before the capture`)
  const expected = due?.correlationId === undefined ? '' : `; ${due.correlationId} was expected`
  return fault(where, start, `correlation ${id} answers no request${expected}`)
}

class AnswerRules implements FrameRules {
  private readonly exchanges: readonly Exchange[]
  /** The exchanges of each id that are answered, the next one last. */
  private readonly byId = new Map<number, number[]>()
  private next = 0
  private readonly trial = new Trial()

  constructor(exchanges: readonly Exchange[]) {
    this.exchanges = exchanges
    for (let i = exchanges.length - 1; i >= 0; i--) {
      const { correlationId } = exchanges[i]!
      if (correlationId === undefined || !expectsAnswer(exchanges[i]!)) continue
      const known = this.byId.get(correlationId)
      if (known) known.push(i)
      else this.byId.set(correlationId, [i])
    }
  }

  /** What has to be answered next. */
  get due(): Exchange | undefined {
    while (this.next < this.exchanges.length && !expectsAnswer(this.exchanges[this.next]!)) this.next++
    return this.exchanges[this.next]
  }

  get leastBytes(): number {
    return this.due?.kind === 'token' ? 0 : 4
  }

  begins(bytes: Buffer, at: number): boolean {
    return this.due?.kind === 'token' || this.answered(bytes, at + 4) !== undefined
  }

  reads(bytes: Buffer, at: number): boolean {
    const i = this.answered(bytes, at + 4)
    if (i === undefined) return false
    const { asked } = this.exchanges[i]!
    const size = bytes.readInt32BE(at)
    const frame = bytes.subarray(at + 4, at + 4 + size)
    // The few bytes of an id are no proof: a frame that is not all there has to be where one may be expected.
    if (size > frame.length) return at === 0
    if (!asked) return false
    const { api } = asked
    const version = answeredVersion(frame, asked)
    const header = [ResponseHeader, responseHeaderVersion(api, version)] as const
    return knows({ api, version }) && this.trial.fills(frame, bytes.length, header, [api.response, version])
  }

  /** The exchange an answer belongs to; to be told of each. */
  take({ bytes }: Frame): Exchange | undefined {
    const { due } = this
    const i = due?.kind === 'token' || bytes.length < 4 ? this.next : this.answered(bytes, 0)
    if (i !== undefined) this.next = i + 1
    return i === undefined ? undefined : this.exchanges[i]
  }

  /** Which of the exchanges that are still to come has the id at that place. */
  private answered(bytes: Buffer, at: number): number | undefined {
    if (bytes.length - at < 4) return undefined
    const places = this.byId.get(bytes.readInt32BE(at))
    if (!places) return undefined
    // Those in front of the next one never count again: a client may give all its requests one id.
    while (places.length > 0 && places.at(-1)! < this.next) places.pop()
    return places.at(-1)
  }
}
