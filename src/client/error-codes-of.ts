import type { Api, Shape, Wire } from '../protocol/schema.ts'
import { NONE } from './retry.ts'

type Scan = (value: unknown, codes: number[]) => void
type Fields = Record<string, unknown>

const scans = new WeakMap<Api, Scan>()
/** AddPartitionsToTxn's carries no role in Kafka's definitions; what else ends in `ErrorCode` is about something else. */
const isErrorCode = (name: string, role: string | undefined) => role === 'errorCode' || name === 'partitionErrorCode'

/** Every error code but NONE in an answer, at whatever depth. */
export function errorCodesOf(api: Api, answer: unknown): number[] {
  let scan = scans.get(api)
  if (!scan) scans.set(api, (scan = scanShape(api.response.shape) ?? (() => {})))
  const codes: number[] = []
  scan(answer, codes)
  return codes
}

function scanShape(shape: Shape): Scan | undefined {
  const steps: Scan[] = []
  for (const [name, field] of Object.entries(shape)) {
    if (isErrorCode(name, field.presence.role)) {
      steps.push((value, codes) => {
        const code = (value as Fields)[name]
        if (typeof code === 'number' && code !== NONE) codes.push(code)
      })
      continue
    }
    const inner = scanWire(field.wire)
    if (inner) {
      steps.push((value, codes) => {
        const child = (value as Fields)[name]
        if (child !== null && child !== undefined) inner(child, codes)
      })
    }
  }
  if (steps.length === 0) return undefined
  return (value, codes) => {
    for (const step of steps) step(value, codes)
  }
}

function scanWire(wire: Wire): Scan | undefined {
  if (wire.kind === 'primitive') return undefined
  if (wire.kind === 'struct') return scanShape(wire.shape)
  const element = scanWire(wire.element)
  if (!element) return undefined
  return (value, codes) => {
    for (const each of value as unknown[]) element(each, codes)
  }
}
