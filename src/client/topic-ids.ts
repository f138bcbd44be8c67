import { type Api, NEVER, NO_UUID, type Shape, type Wire } from '../protocol/schema.ts'
import type { Body } from './merge.ts'

/** Changes each topic of a value that has both a name and an id (KIP-516); what holds none is returned as it is. */
type Rewrite = (value: unknown, change: (topic: Body, nameField: string) => Body) => unknown

interface Plan {
  readonly rewrite: Rewrite
  /** First version that has ids, and no names any more. */
  readonly since: number
}

const plans = new WeakMap<Shape, Plan | { readonly rewrite: undefined }>()

export interface TopicNames {
  topic(name: string): { readonly topicId: string } | undefined
  topicById(id: string): { readonly name: string } | undefined
}

/** Names of the topics that a request names without their ids. */
export function namesWithoutId(api: Api, request: Body): string[] {
  const { rewrite } = planOf(api.request.shape)
  const names = new Set<string>()
  rewrite?.(request, (topic, nameField) => {
    const name = topic[nameField]
    if (typeof name === 'string' && name !== '' && (topic.topicId ?? NO_UUID) === NO_UUID) names.add(name)
    return topic
  })
  return [...names]
}

/**
 * The request with names and ids of its topics made up for from what is known, so that either version can be sent. Where
 * an id is not known, `maxVersion` is the last that goes without.
 */
export function withTopicIds(api: Api, request: Body, known: TopicNames): { request: Body; maxVersion: number } {
  const plan = planOf(api.request.shape)
  if (!plan.rewrite) return { request, maxVersion: NEVER }
  let complete = true
  const rewritten = plan.rewrite(request, (topic, nameField) => {
    const name = topic[nameField] as string | undefined
    const id = topic.topicId as string | undefined
    if (name && (id ?? NO_UUID) === NO_UUID) {
      const found = known.topic(name)?.topicId ?? NO_UUID
      if (found === NO_UUID) complete = false
      return { ...topic, topicId: found }
    }
    return name || !id ? topic : { ...topic, [nameField]: known.topicById(id)?.name ?? '' }
  })
  return { request: rewritten as Body, maxVersion: complete ? NEVER : plan.since - 1 }
}

/** An answer in which topics that are told by id have their names as well, as far as they are known. */
export function withTopicNames(api: Api, answer: Body, known: TopicNames): Body {
  const { rewrite } = planOf(api.response.shape)
  if (!rewrite) return answer
  return rewrite(answer, (topic, nameField) => {
    const id = topic.topicId as string
    return topic[nameField] || id === NO_UUID ? topic : { ...topic, [nameField]: known.topicById(id)?.name ?? '' }
  }) as Body
}

function planOf(shape: Shape): Plan | { readonly rewrite: undefined } {
  let plan = plans.get(shape)
  if (!plan) {
    const rewrite = ofShape(shape)
    plans.set(shape, (plan = rewrite ? { rewrite, since: firstWithIds(shape) } : { rewrite: undefined }))
  }
  return plan
}

function ofShape(shape: Shape): Rewrite | undefined {
  const nameField = dualField(shape)
  if (nameField !== undefined) return (value, change) => change(value as Body, nameField)
  const fields = Object.entries(shape).flatMap(([name, { wire }]): [string, Rewrite][] => {
    const inner = ofWire(wire)
    return inner ? [[name, inner]] : []
  })
  if (fields.length === 0) return undefined
  return (value, change) => {
    const copy: Body = { ...(value as Body) }
    for (const [name, inner] of fields) {
      const child = copy[name]
      if (child !== null && child !== undefined) copy[name] = inner(child, change)
    }
    return copy
  }
}

function ofWire(wire: Wire): Rewrite | undefined {
  if (wire.kind === 'primitive') return undefined
  if (wire.kind === 'struct') return ofShape(wire.shape)
  const element = ofWire(wire.element)
  return element && ((value, change) => (value as unknown[]).map(each => element(each, change)))
}

/** The name field of a topic that has a name until some version and an id from then on. */
function dualField(shape: Shape): string | undefined {
  if (!shape.topicId) return undefined
  return Object.keys(shape).find(name => {
    const presence = shape[name]?.presence
    return presence?.entity === 'topicName' && presence.until < NEVER
  })
}

function firstWithIds(shape: Shape): number {
  if (dualField(shape) !== undefined) return shape.topicId?.presence.since ?? NEVER
  const inner = Object.values(shape).map(({ wire }) => {
    const element = wire.kind === 'array' ? wire.element : wire
    return element.kind === 'struct' ? firstWithIds(element.shape) : NEVER
  })
  return Math.min(NEVER, ...inner)
}
