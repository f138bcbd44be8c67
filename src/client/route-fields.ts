import { KafkaError } from '../errors.ts'
import { describe, type Misfit } from '../protocol/misfit.ts'
import type { Api, Shape } from '../protocol/schema.ts'
import { elementShape } from './merge.ts'

type Leaf = 'whole number' | 'string'
type Fields = { readonly [name: string]: unknown }

/**
 * Refuses a request that lacks what its route goes by: nobody would be asked, or somebody of no name. Whatever else is wrong with
 * it, its encoder says. Throws KafkaError ERR_INVALID_ARGUMENT.
 */
export function checkRouteFields(api: Api, request: unknown): void {
  const found = misfitOf(api, request)
  if (!found) return
  const where = found.path === '' ? 'the message' : found.path
  throw new KafkaError('ERR_INVALID_ARGUMENT', `${api.name}Request cannot be routed, correct ${where}: ${found.reason}`)
}

function misfitOf({ route, request: { shape } }: Api, request: unknown): Misfit | undefined {
  if (!isFields(request)) return needed('', 'an object', request)
  switch (route.kind) {
    case 'leader': {
      const steps = route.partitions.split('.')
      const topics = steps[0]!.replace('[]', '')
      return (
        at(request, steps, '', 'whole number') ?? namelessTopic(elementShape(shape, topics), topics, request[topics] as Fields[])
      )
    }
    case 'group':
    case 'transaction':
    case 'share':
      for (const path of route.keys) {
        const steps = path.split('.')
        // Of several paths, one holds the keys; of a single key its encoder can tell.
        if (!steps[0]!.endsWith('[]') || request[steps[0]!.slice(0, -2)] === undefined) continue
        const found = at(request, steps, '', 'string')
        if (found) return found
      }
      return undefined
    case 'any':
    case 'controller':
    case 'eachBroker':
    case 'byContent':
      return undefined
    default:
      return route satisfies never
  }
}

/** Follows `topics[].partitions[].partitionIndex` to the values of type `leaf`. */
function at(fields: Fields, [step = '', ...rest]: readonly string[], path: string, leaf: Leaf): Misfit | undefined {
  const name = step.replace('[]', '')
  const value = fields[name]
  const here = path === '' ? name : `${path}.${name}`
  if (name === step) return atLeaf(value, here, leaf)
  if (!Array.isArray(value)) return needed(here, 'an array', value)
  for (const [i, element] of value.entries()) {
    const found = inElement(element, rest, `${here}[${i}]`, leaf)
    if (found) return found
  }
  return undefined
}

function inElement(element: unknown, rest: readonly string[], path: string, leaf: Leaf): Misfit | undefined {
  if (rest.length > 0) return isFields(element) ? at(element, rest, path, leaf) : needed(path, 'an object', element)
  return atLeaf(element, path, leaf)
}

function atLeaf(value: unknown, path: string, leaf: Leaf): Misfit | undefined {
  const fits = leaf === 'string' ? typeof value === 'string' : Number.isInteger(value)
  return fits ? undefined : needed(path, `a ${leaf}`, value)
}

/** A topic goes by its name or its id. */
function namelessTopic(shape: Shape, path: string, topics: readonly Fields[]): Misfit | undefined {
  const names = Object.keys(shape).filter(name => name === 'topicId' || shape[name]?.presence.entity === 'topicName')
  const index = topics.findIndex(topic => names.every(name => !topic[name]))
  return index < 0 ? undefined : { path: `${path}[${index}]`, reason: `${names.join(' or ')} is needed` }
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null
const needed = (path: string, what: string, value: unknown): Misfit => ({
  path,
  reason: `${what} is needed, not ${describe(value)}`,
})
