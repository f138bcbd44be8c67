import { BrokerError } from '../errors.ts'
import { brokerError, ErrorCode } from '../protocol/error-codes.ts'
import { defaultsOf } from '../protocol/presence.ts'
import { type Api, NO_UUID, type Route, type Shape } from '../protocol/schema.ts'
import { type Body, codeOf, elementShape, isPartial, joined } from './merge.ts'
import { mayRepeat, type Remedy, remedyFor, timeIsUp } from './retry.ts'
import type { Cluster, Operation, Router } from './router.ts'

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

/** One partition of the request, and what became of it. */
interface Piece {
  readonly topic: Body
  readonly item: unknown
  readonly index: number
  readonly name: string | undefined
  result: Body | undefined
  /** Why it has no result, or not the final one. */
  failure: Error | undefined
  unknownAnswers: number
}

/** How often a partition may be said not to exist before that is believed: a new one is not known everywhere at once. */
const UNKNOWN_PARTITION_ANSWERS = 5

const plans = new WeakMap<Api, LeaderPlan>()

/** Sends each partition to its leader, sends again what failed for a reason that passes, and joins the answers. */
export async function sendToLeaders(cluster: Cluster, router: Router, operation: Operation, request: Body): Promise<Body> {
  const { api, signal, deadline } = operation
  const plan = planOf(api)
  const { metadata } = cluster.client
  await metadata.known(deadline, signal)
  const ids = idsOf(plan, request)
  if (ids.length > 0) await metadata.locateIds(ids, { timeoutMs: deadline.remainingMs, signal })
  const pieces = piecesOf(plan, request, id => metadata.topicById(id)?.name)
  const answers: Body[] = []
  let outOfTime = false
  let pending = pieces
  for (let attempt = 1; pending.length > 0; attempt++) {
    const unknown = await metadata.locate(namesOf(pending), { timeoutMs: deadline.remainingMs, signal })
    const shards = new Map<number, Piece[]>()
    let remedy: Remedy = 'wait'
    const again: Piece[] = []
    const retry = (piece: Piece, code: number | undefined, failure: Error) => {
      piece.failure = failure
      const needed = code === undefined ? 'refresh-metadata' : remedyFor(api, code)
      if (needed === undefined) return
      if (code === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION && ++piece.unknownAnswers >= UNKNOWN_PARTITION_ANSWERS) return
      if (needed !== 'wait') remedy = 'refresh-metadata'
      again.push(piece)
    }
    for (const piece of pending) {
      const gone = piece.name === undefined ? undefined : unknown.get(piece.name)
      if (gone) {
        piece.failure = gone
        continue
      }
      const leader = piece.name === undefined ? undefined : metadata.leaderOf(piece.name, piece.index)
      if (leader) {
        const shard = shards.get(leader.nodeId)
        if (shard) shard.push(piece)
        else shards.set(leader.nodeId, [piece])
      } else {
        const code = leaderless(piece, name => metadata.topic(name)?.partitions[piece.index] !== undefined)
        retry(piece, code, brokerError(code, { api: api.name, topic: piece.name, partition: piece.index }))
      }
    }
    await Promise.all(
      Array.from(shards, async ([nodeId, shard]) => {
        try {
          const body = bodyOf(plan, request, shard, name => metadata.topic(name)?.topicId)
          const answer = await router.once(operation, body, nodeId)
          if (!answer) {
            for (const piece of shard) piece.result = blankResult(plan, piece, undefined)
            return
          }
          answers.push(answer)
          read(plan, api, answer, shard, retry, id => metadata.topicById(id)?.name)
        } catch (error) {
          if (!(error instanceof Error) || signal?.aborted || !isPartial(error)) throw error
          for (const piece of shard) {
            piece.failure = error
            if (mayRepeat(api, error)) retry(piece, undefined, error)
          }
        }
      }),
    )
    pending = again
    const failure = again[0]?.failure
    if (!failure) break
    if (!(await router.pause(operation, attempt, failure))) {
      outOfTime = true
      break
    }
    await router.apply(remedy, { kind: 'any' }, operation)
  }
  const failed = pieces.find(piece => piece.failure && !(piece.failure instanceof BrokerError))
  if (answers.length === 0 && failed?.failure)
    throw outOfTime ? timeIsUp(`the ${api.name} request`, deadline, failed.failure) : failed.failure
  return assemble(plan, api, pieces, answers)
}

function leaderless(piece: Piece, exists: (name: string) => boolean): number {
  if (piece.name === undefined) return ErrorCode.UNKNOWN_TOPIC_ID
  return exists(piece.name) ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
}

/** Ids of the topics that are asked for by id alone. */
function idsOf(plan: LeaderPlan, request: Body): string[] {
  const { id, name } = plan
  if (id === undefined) return []
  const topics = (request[plan.topics] ?? []) as Body[]
  return topics.filter(topic => topic[id] && !(name !== undefined && topic[name])).map(topic => String(topic[id]))
}

function piecesOf(plan: LeaderPlan, request: Body, nameOf: (id: string) => string | undefined): Piece[] {
  const pieces: Piece[] = []
  for (const topic of (request[plan.topics] ?? []) as Body[]) {
    const given = plan.name === undefined ? undefined : (topic[plan.name] as string | undefined)
    const id = plan.id === undefined ? undefined : (topic[plan.id] as string | undefined)
    const name = given || (id && id !== NO_UUID ? nameOf(id) : undefined)
    for (const item of (topic[plan.partitions] ?? []) as unknown[]) {
      const index = Number(plan.index === undefined ? item : (item as Body)[plan.index])
      pieces.push({ topic, item, index, name, result: undefined, failure: undefined, unknownAnswers: 0 })
    }
  }
  return pieces
}

function namesOf(pieces: readonly Piece[]): string[] {
  const names = new Set<string>()
  for (const { name } of pieces) if (name !== undefined) names.add(name)
  return [...names]
}

/** The part of a request that goes to one leader. Topic names and ids stand in for each other, as the version needs. */
function bodyOf(plan: LeaderPlan, request: Body, shard: readonly Piece[], idOf: (name: string) => string | undefined): Body {
  const topics = new Map<Body, Body>()
  for (const piece of shard) {
    let topic = topics.get(piece.topic)
    if (!topic) {
      topic = { ...piece.topic, [plan.partitions]: [] }
      if (plan.name !== undefined && piece.name !== undefined) topic[plan.name] = piece.name
      // Asked for by name, it is whatever has that name now; asked for by id, it is that and no other (KIP-516).
      if (plan.id !== undefined && piece.name !== undefined && (topic[plan.id] ?? NO_UUID) === NO_UUID) {
        topic[plan.id] = idOf(piece.name) ?? NO_UUID
      }
      topics.set(piece.topic, topic)
    }
    ;(topic[plan.partitions] as unknown[]).push(piece.item)
  }
  return { ...request, [plan.topics]: [...topics.values()] }
}

function read(
  plan: LeaderPlan,
  api: Api,
  answer: Body,
  shard: readonly Piece[],
  retry: (piece: Piece, code: number, failure: Error) => void,
  nameOf: (id: string) => string | undefined,
): void {
  const { results } = plan
  const found = new Map<string, Map<unknown, Body>>()
  for (const topic of answer[results.topics] as Body[]) {
    const id = results.id === undefined ? undefined : (topic[results.id] as string)
    const name = (results.name !== undefined && (topic[results.name] as string)) || (id !== undefined && nameOf(id)) || id || ''
    let partitions = found.get(name)
    if (!partitions) found.set(name, (partitions = new Map()))
    for (const partition of topic[results.partitions] as Body[]) partitions.set(partition[results.index], partition)
  }
  const top = topLevelError(api, answer)
  for (const piece of shard) {
    const result = found.get(piece.name ?? '')?.get(piece.index)
    const code = result ? (result[results.error] as number) : top || ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    piece.result = result
    if (code !== ErrorCode.NONE) {
      retry(piece, code, brokerError(code, { api: api.name, topic: piece.name, partition: piece.index }))
    }
  }
}

function topLevelError(api: Api, answer: Body): number {
  for (const [name, { presence }] of Object.entries(api.response.shape as Shape))
    if (presence.role === 'errorCode') return answer[name] as number
  return ErrorCode.NONE
}

/** One answer in the request's order of topics; what has none gets a result that carries only its error code. */
function assemble(plan: LeaderPlan, api: Api, pieces: readonly Piece[], answers: readonly Body[]): Body {
  const { results } = plan
  const topics = new Map<Body, Body>()
  for (const piece of pieces) {
    let topic = topics.get(piece.topic)
    if (!topic) {
      topic = defaultsOf(results.topicShape)
      if (results.name !== undefined) topic[results.name] = piece.name ?? ''
      if (results.id !== undefined && plan.id !== undefined) topic[results.id] = piece.topic[plan.id] ?? NO_UUID
      topic[results.partitions] = []
      topics.set(piece.topic, topic)
    }
    ;(topic[results.partitions] as Body[]).push(
      piece.result ?? {
        ...defaultsOf(results.partitionShape),
        [results.index]: piece.index,
        [results.error]: codeOf(piece.failure),
      },
    )
  }
  return { ...joined(api, answers, []), [results.topics]: [...topics.values()] }
}

function blankResult({ results }: LeaderPlan, { index }: Piece, failure: Error | undefined): Body {
  const code = failure ? codeOf(failure) : ErrorCode.NONE
  return { ...defaultsOf(results.partitionShape), [results.index]: index, [results.error]: code }
}

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
