/** Finds the value that kept a message from being encoded. The generated code keeps no track of where it is. */
import { defaultOf, hasLength, isOptional, Layout } from './presence.ts'
import { ALWAYS, type Message, type Presence, type Shape, type Wire } from './schema.ts'
import { Writer } from './wire.ts'

/** A value, by its path (`topics[3].name`), and why the version cannot hold it. */
export interface Misfit {
  readonly path: string
  readonly reason: string
}

/** The first value of `message` that the version cannot hold, in wire order. */
export function findMisfit(message: Message, version: number, value: unknown): Misfit | undefined {
  return inStruct(new Layout(message, version), '', message.shape, value)
}

function inStruct(layout: Layout, path: string, shape: Shape, value: unknown): Misfit | undefined {
  if (typeof value !== 'object' || value === null) return { path, reason: `an object is needed, not ${describe(value)}` }
  for (const [name, { wire, presence }] of Object.entries(shape)) {
    const member = (value as { readonly [name: string]: unknown })[name]
    if (!layout.onWire(presence) || (member === undefined && isOptional(presence))) continue
    const misfit = inValue(layout, path === '' ? name : `${path}.${name}`, wire, presence, member)
    if (misfit) return misfit
  }
  return undefined
}

function inValue(layout: Layout, path: string, wire: Wire, at: Presence, value: unknown): Misfit | undefined {
  if (value === null && layout.nullable(at)) return undefined
  if (value === null || value === undefined) {
    const reason = hasLength(wire) || wire.kind === 'struct' ? `it must not be ${value} in this version` : `${value} is no value`
    return { path, reason }
  }
  if (wire.kind === 'struct') return inStruct(layout, path, wire.shape, value)
  if (wire.kind === 'array') {
    if (!Array.isArray(value)) return { path, reason: `an array is needed, not ${describe(value)}` }
    for (const [i, element] of value.entries()) {
      const misfit = inValue(layout, `${path}[${i}]`, wire.element, ALWAYS, element)
      if (misfit) return misfit
    }
    return undefined
  }
  const zero = defaultOf(wire, ALWAYS)
  if (typeof zero !== typeof value) {
    const needed = zero instanceof Uint8Array ? 'Uint8Array' : typeof zero
    return { path, reason: `a ${needed} is needed, not ${describe(value)}` }
  }
  try {
    new Writer(16)[layout.verb(wire.primitive)](value as never)
    return undefined
  } catch (error) {
    return { path, reason: (error as Error).message }
  }
}

/** A value as it is named where another was needed. */
export function describe(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40))
  return typeof value === 'object' && value !== null ? (value.constructor?.name ?? 'an object') : String(value)
}
