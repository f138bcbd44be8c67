import { BrokerError } from '../errors.ts'
import { brokerError, ErrorCode } from '../protocol/error-codes.ts'
import { defaultsOf } from '../protocol/presence.ts'
import { type Api, NO_UUID, type Route, type Shape } from '../protocol/schema.ts'
import { type Body, codeOf, elementShape, joined } from './merge.ts'
import type { Metadata } from './metadata.ts'
import { isRepeatable } from './repeatable.ts'
import { remedyFor } from './retry.ts'
import type { Cluster, Operation, Router } from './router.ts'
import { type Part, remedyOf, SplitRequest, type Splitter } from './split-request.ts'
import { withTopicIds } from './topic-ids.ts'

/** Where topics, partitions and errors sit in the request and the answer of an API that goes to leaders. */
interface LeaderPlan {
  readonly topics: string
  readonly partitions: string
  /** Undefined where the partitions are plain numbers. */
  readonly index: string | undefined
  readonly name: string | undefined
  readonly id: string | undefined
  readonly results: ResultPlan
}
interface ResultPlan {
  readonly topics: string
  readonly partitions: string
  readonly index: string
  readonly name: string | undefined
  readonly id: string | undefined
  readonly error: string
  readonly partitionShape: Shape
  readonly topicShape: Shape
}

/** One partition of the request. */
interface Piece extends Part {
  readonly topic: Body
  readonly item: unknown
  readonly index: number
  /** Undefined while only the topic's id is known. */
  name: string | undefined
  readonly id: string
  unknownAnswers: number
}

/** How often a partition may be said not to exist before that is believed: a new one is not known everywhere at once. */
const UNKNOWN_PARTITION_ANSWERS = 5

const plans = new WeakMap<Api, LeaderPlan>()

/** Sends each partition to its leader, sends again what failed for a reason that passes, and joins the answers. */
export async function sendToLeaders(cluster: Cluster, router: Router, operation: Operation, request: Body): Promise<Body> {
  await cluster.client.metadata.known(operation.deadline, operation.signal)
  return new LeaderRequest(cluster, router, operation, request).send()
}

class LeaderRequest implements Splitter<Piece> {
  private readonly metadata: Metadata
  private readonly router: Router
  private readonly operation: Operation
  private readonly request: Body
  private readonly plan: LeaderPlan
  private readonly answers: Body[] = []

  constructor({ client }: Cluster, router: Router, operation: Operation, request: Body) {
    this.metadata = client.metadata
    this.router = router
    this.operation = operation
    this.request = request
    this.plan = planOf(operation.api)
  }

  async send(): Promise<Body> {
    const { plan, operation, answers } = this
    const pieces = piecesOf(plan, this.request)
    const split = new SplitRequest(this.router, operation, this)
    await split.send(pieces)
    const failed = pieces.find(piece => piece.failure && !(piece.failure instanceof BrokerError))
    if (failed?.failure && answers.length === 0) throw split.errorOf(failed.failure)
    return assemble(plan, operation.api, this.request, pieces, answers)
  }

  nodeOf(piece: Piece): number | undefined {
    const name = this.nameOf(piece)
    return name === undefined ? undefined : this.metadata.leaderOf(name, piece.index)?.nodeId
  }

  /** A topic asked for by its id has whatever name it has now. */
  private nameOf(piece: Piece): string | undefined {
    piece.name ??= this.metadata.topicById(piece.id)?.name
    return piece.name
  }

  async lookUp(pieces: readonly Piece[]): Promise<Piece[]> {
    const { metadata } = this
    const { deadline, signal, api } = this.operation
    const names = new Set<string>()
    const ids = new Set<string>()
    let leaderless = false
    for (const piece of pieces) {
      const name = this.nameOf(piece)
      if (name === undefined) ids.add(piece.id)
      else if (metadata.topic(name)) leaderless = true
      else names.add(name)
    }
    const once = { timeoutMs: deadline.remainingMs, signal, patience: 1 }
    const [byName, byId] = await Promise.all([
      metadata.locate([...names], once),
      metadata.locateIds([...ids], once),
      leaderless && this.router.refresh(this.operation),
    ])
    return pieces.filter(piece => {
      if (this.nodeOf(piece) !== undefined) return false
      const error = piece.name === undefined ? byId.get(piece.id) : byName.get(piece.name)
      if (error) return this.isOpen(piece, error)
      const code = this.leaderless(piece)
      return this.isOpen(piece, brokerError(code, { api: api.name, topic: piece.name, partition: piece.index }))
    })
  }

  private leaderless({ name, index }: Piece): number {
    if (name === undefined) return ErrorCode.UNKNOWN_TOPIC_ID
    const exists = this.metadata.topic(name)?.partitions[index] !== undefined
    return exists ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }

  async ask(nodeId: number, shard: readonly Piece[]): Promise<Piece[]> {
    const { plan, operation, metadata } = this
    // Ids are looked up at each attempt anew: a topic may be recreated meanwhile.
    const complete = withTopicIds(operation.api, bodyOf(plan, this.request, shard), metadata)
    const maxVersion = Math.min(operation.maxVersion, complete.maxVersion)
    // By the time of the answer, an id that was sent may be no topic's any more.
    const sent = new Map(shard.map(({ name = '', id }) => [id === NO_UUID ? metadata.topic(name)?.topicId : id, name]))
    const answer = await this.router.once({ ...operation, maxVersion }, complete.request, nodeId)
    if (answer) {
      this.answers.push(answer)
      return this.read(answer, shard, sent)
    }
    for (const piece of shard) piece.result = resultOf(plan, piece, ErrorCode.NONE)
    return []
  }

  async mend(pieces: readonly Piece[]): Promise<void> {
    if (pieces.some(piece => remedyOf(this.operation, piece) !== 'wait')) await this.router.refresh(this.operation)
  }

  /** `sent` are the names of the topics by the ids they were asked for. */
  private read(answer: Body, shard: readonly Piece[], sent: ReadonlyMap<string | undefined, string>): Piece[] {
    const { results } = this.plan
    const { api } = this.operation
    const found = new Map<string, Map<unknown, Body>>()
    for (const topic of answer[results.topics] as Body[]) {
      const id = results.id === undefined ? undefined : (topic[results.id] as string)
      const named = (results.name !== undefined && (topic[results.name] as string)) || undefined
      const name = named ?? sent.get(id) ?? ''
      let partitions = found.get(name)
      if (!partitions) found.set(name, (partitions = new Map()))
      for (const partition of topic[results.partitions] as Body[]) partitions.set(partition[results.index], partition)
    }
    // Of what the answer leaves out nobody knows whether it was done.
    const missing = isRepeatable(api) ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.UNKNOWN_SERVER_ERROR
    const top = topLevelError(api, answer)
    return shard.filter(piece => {
      piece.result = found.get(piece.name ?? '')?.get(piece.index)
      const code = piece.result ? (piece.result[results.error] as number) : top || missing
      if (code === ErrorCode.NONE) return false
      return this.isOpen(piece, brokerError(code, { api: api.name, topic: piece.name, partition: piece.index }))
    })
  }

  /** Takes in what went wrong with a piece. True where sending it again may help. */
  private isOpen(piece: Piece, failure: BrokerError): boolean {
    piece.failure = failure
    const isUnknown =
      failure.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION || failure.errorCode === ErrorCode.UNKNOWN_TOPIC_ID
    if (isUnknown && ++piece.unknownAnswers >= UNKNOWN_PARTITION_ANSWERS) return false
    return remedyFor(this.operation.api, failure.errorCode) !== undefined
  }
}

function piecesOf(plan: LeaderPlan, request: Body): Piece[] {
  const pieces: Piece[] = []
  for (const topic of (request[plan.topics] ?? []) as Body[]) {
    const name = (plan.name !== undefined && (topic[plan.name] as string)) || undefined
    const id = (plan.id !== undefined && (topic[plan.id] as string)) || NO_UUID
    for (const item of (topic[plan.partitions] ?? []) as unknown[]) {
      const index = Number(plan.index === undefined ? item : (item as Body)[plan.index])
      pieces.push({ topic, item, index, name, id, result: undefined, failure: undefined, unknownAnswers: 0 })
    }
  }
  return pieces
}

/** The part of a request that goes to one leader. */
function bodyOf(plan: LeaderPlan, request: Body, shard: readonly Piece[]): Body {
  const topics = new Map<Body, Body>()
  for (const piece of shard) {
    let topic = topics.get(piece.topic)
    if (!topic) topics.set(piece.topic, (topic = { ...piece.topic, [plan.partitions]: [] }))
    ;(topic[plan.partitions] as unknown[]).push(piece.item)
  }
  return { ...request, [plan.topics]: [...topics.values()] }
}

function topLevelError(api: Api, answer: Body): number {
  for (const [name, { presence }] of Object.entries(api.response.shape as Shape))
    if (presence.role === 'errorCode') return answer[name] as number
  return ErrorCode.NONE
}

/** One answer in the request's order of topics; what has none gets a result that carries only its error code. */
function assemble(plan: LeaderPlan, api: Api, request: Body, pieces: readonly Piece[], answers: readonly Body[]): Body {
  const { results } = plan
  const topics = new Map<Body, Body>()
  for (const asked of (request[plan.topics] ?? []) as Body[]) {
    const topic = defaultsOf(results.topicShape)
    if (results.name !== undefined && plan.name !== undefined) topic[results.name] = asked[plan.name] ?? ''
    if (results.id !== undefined && plan.id !== undefined) topic[results.id] = asked[plan.id] ?? NO_UUID
    topic[results.partitions] = []
    topics.set(asked, topic)
  }
  for (const piece of pieces) {
    const topic = topics.get(piece.topic)!
    if (results.name !== undefined) topic[results.name] = piece.name ?? ''
    ;(topic[results.partitions] as Body[]).push(piece.result ?? resultOf(plan, piece, codeOf(piece.failure)))
  }
  return { ...joined(api, answers, []), [results.topics]: [...topics.values()] }
}

/** A result that carries only an error code. */
const resultOf = ({ results }: LeaderPlan, { index }: Piece, code: number): Body => ({
  ...defaultsOf(results.partitionShape),
  [results.index]: index,
  [results.error]: code,
})

function planOf(api: Api): LeaderPlan {
  let plan = plans.get(api)
  if (!plan) plans.set(api, (plan = compile(api, api.route as Route & { kind: 'leader' })))
  return plan
}

function compile(api: Api, route: Route & { kind: 'leader' }): LeaderPlan {
  const [topics = '', partitions = '', index] = route.partitions.split('.').map(part => part.replace('[]', ''))
  const [resultTopics = '', resultPartitions = ''] = route.results.split('.').map(part => part.replace('[]', ''))
  const topicShape = elementShape(api.response.shape, resultTopics)
  const partitionShape = elementShape(topicShape, resultPartitions)
  const requestTopic = elementShape(api.request.shape, topics)
  const names = Object.keys(partitionShape)
  return {
    topics,
    partitions,
    index,
    name: nameField(requestTopic),
    id: idField(requestTopic),
    results: {
      topics: resultTopics,
      partitions: resultPartitions,
      index: names.find(name => ['partitionIndex', 'partition', 'index'].includes(name)) ?? 'partitionIndex',
      name: nameField(topicShape),
      id: idField(topicShape),
      error: names.find(name => partitionShape[name]?.presence.role === 'errorCode') ?? 'errorCode',
      partitionShape,
      topicShape,
    },
  }
}

const nameField = (shape: Shape) => Object.keys(shape).find(name => shape[name]?.presence.entity === 'topicName')
const idField = (shape: Shape) => (shape.topicId ? 'topicId' : undefined)
