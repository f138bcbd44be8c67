import { ErrorCode } from '../protocol/error-codes.ts'
import type { Api, Shape, Wire } from '../protocol/schema.ts'
import type { Body } from './merge.ts'

/** The error codes of an answer, or of one element of it. */
export interface Codes {
  /** Of the whole: NONE where it has none. */
  readonly top: number
  /** Of its parts, at whatever depth; without NONE. */
  readonly inner: readonly number[]
  /** How many parts have the code NONE. */
  readonly innerSuccesses: number
}

interface Tally {
  inner: number[]
  innerSuccesses: number
}
type Scan = (value: unknown, tally: Tally) => void
interface Plan {
  readonly top: string | undefined
  readonly inner: Scan
}

const plans = new WeakMap<Shape, Plan>()
/** By its role: CreateTopics' topicConfigErrorCode and ShareFetch's acknowledgeErrorCode have none, and decide nothing about the request. */
const isErrorCode = (name: string, shape: Shape) => shape[name]?.presence.role === 'errorCode'

export const errorCodesOf = (api: Api, answer: Body): Codes => errorCodesIn(api.response.shape, answer)

/** As `errorCodesOf`, for a value of any shape. */
export function errorCodesIn(shape: Shape, value: Body): Codes {
  let plan = plans.get(shape)
  if (!plan) plans.set(shape, (plan = planOf(shape)))
  const tally: Tally = { inner: [], innerSuccesses: 0 }
  plan.inner(value, tally)
  return { top: plan.top === undefined ? ErrorCode.NONE : Number(value[plan.top]), ...tally }
}

function planOf(shape: Shape): Plan {
  const names = Object.keys(shape)
  const top = names.find(name => isErrorCode(name, shape))
  const steps = names.flatMap(name => (name === top ? [] : (scanField(shape, name) ?? [])))
  return { top, inner: inOrder(steps) }
}

const inOrder =
  (steps: readonly Scan[]): Scan =>
  (value, tally) => {
    for (const step of steps) step(value, tally)
  }

function scanField(shape: Shape, name: string): Scan | undefined {
  if (isErrorCode(name, shape)) {
    return (value, tally) => {
      const code = Number((value as Body)[name])
      if (code === ErrorCode.NONE) tally.innerSuccesses++
      else tally.inner.push(code)
    }
  }
  const wire = shape[name]?.wire
  const inner = wire && scanWire(wire)
  return (
    inner &&
    ((value, tally) => {
      const child = (value as Body)[name]
      if (child !== null && child !== undefined) inner(child, tally)
    })
  )
}

function scanWire(wire: Wire): Scan | undefined {
  if (wire.kind === 'primitive') return undefined
  if (wire.kind === 'struct') {
    const steps = Object.keys(wire.shape).flatMap(name => scanField(wire.shape, name) ?? [])
    return steps.length === 0 ? undefined : inOrder(steps)
  }
  const element = scanWire(wire.element)
  return (
    element &&
    ((value, tally) => {
      for (const each of value as unknown[]) element(each, tally)
    })
  )
}
