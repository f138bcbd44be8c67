import { Layout } from '../../src/protocol/presence.ts'
import { ALWAYS, type Message, type Presence, type Primitive, type Shape, type Wire } from '../../src/protocol/schema.ts'
import { unknownTags, Writer } from '../../src/protocol/wire.ts'

/** A generator whose whole sequence follows from its seed (mulberry32). */
export class Random {
  private state: number
  constructor(seed: number) {
    this.state = seed >>> 0
  }
  /** In [0, 1). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let t = this.state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000
  }
  /** Whole, in [0, n). */
  below(n: number): number {
    return Math.floor(this.next() * n)
  }
  chance(probability: number): boolean {
    return this.next() < probability
  }
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!
  }
  bytes(n: number): Buffer {
    return Buffer.from(Array.from({ length: n }, () => this.below(256)))
  }
  /** Of `bits` bits, signed: extremes and small numbers more often than chance would have them. */
  integer(bits: number, signed = true): number {
    const span = 2 ** bits,
      min = signed ? -span / 2 : 0
    return this.pick([0, min, min + span - 1, Math.max(min, -1), this.below(128), min + Math.floor(this.next() * span)])
  }
  bigint(): bigint {
    const any = this.bytes(8).readBigInt64BE()
    return this.pick([0n, -1n, 1n << 53n, -(1n << 63n), (1n << 63n) - 1n, any, any >> 32n])
  }
  text(): string {
    const length = this.pick([0, 1, 3, 12, 12, 43, 130, 200])
    const alphabet = this.pick(['abcdefgh-_.0123456789', 'aäß€漢字𝄞\u0000"\\'])
    const signs = [...alphabet]
    return Array.from({ length }, () => this.pick(signs)).join('')
  }
}

export interface RandomOptions {
  /** Adds tags that no schema has, where the version is flexible. */
  readonly unknownTags?: boolean
  /** Leaves out, at random, fields that may be left out. */
  readonly gaps?: boolean
  /** Value of `records` fields, which need not be opaque to the other side. */
  readonly records?: (random: Random) => Buffer | null
}

interface Member {
  [name: string]: unknown
  [unknownTags]?: Buffer
}

/** A message with a random value for every field that the version has; what it lacks is left out. */
export function randomMessage(random: Random, message: Message, version: number, options: RandomOptions = {}): never {
  return new Maker(random, new Layout(message, version), options).struct(message.shape, 0) as never
}

class Maker {
  private readonly random: Random
  private readonly layout: Layout
  private readonly options: RandomOptions
  constructor(random: Random, layout: Layout, options: RandomOptions) {
    this.random = random
    this.layout = layout
    this.options = options
  }

  struct(shape: Shape, depth: number): Member {
    const value: Member = {}
    let lastTag = -1
    for (const [name, { wire, presence }] of Object.entries(shape)) {
      // A tag of another version is no unknown one.
      if (presence.tag !== undefined) lastTag = Math.max(lastTag, presence.tag)
      if (!this.layout.onWire(presence)) continue
      const optional = presence.tag !== undefined || presence.fallback !== undefined
      if (this.options.gaps && optional && this.random.chance(0.3)) continue
      value[name] = this.value(wire, presence, depth)
    }
    if (this.options.unknownTags && this.layout.flexible && this.random.chance(0.2)) {
      const writer = new Writer(),
        bytes = this.random.bytes(this.random.pick([0, 3, 200]))
      writer.uvarint(lastTag + 1 + this.random.below(300))
      writer.uvarint(bytes.length)
      value[unknownTags] = Buffer.concat([writer.finish(), bytes])
    }
    return value
  }

  private value(wire: Wire, at: Presence, depth: number): unknown {
    if (this.layout.nullable(at) && this.random.chance(0.2)) return null
    if (at.fallback !== undefined && this.random.chance(0.2) && (at.fallback !== null || this.layout.nullable(at)))
      return at.fallback
    if (wire.kind === 'struct') return this.struct(wire.shape, depth + 1)
    if (wire.kind === 'primitive') return this.primitive(wire.primitive)
    const length = this.random.pick(depth > 2 ? [0, 1, 2] : [0, 1, 2, 3, wire.element.kind === 'struct' ? 4 : 130])
    return Array.from({ length }, () => this.value(wire.element, ALWAYS, depth + 1))
  }

  private primitive(primitive: Primitive): unknown {
    const { random } = this
    switch (primitive) {
      case 'bool':
        return random.chance(0.5)
      case 'int8':
        return random.integer(8)
      case 'int16':
        return random.integer(16)
      case 'uint16':
        return random.integer(16, false)
      case 'int32':
        return random.integer(32)
      case 'int64':
        return random.bigint()
      case 'float64':
        return random.pick([0, -1.5, 1e300, 5e-324, random.next()])
      case 'string':
      case 'legacyString':
        return random.text()
      case 'bytes':
        return random.bytes(random.pick([0, 1, 5, 126, 127, 300]))
      case 'records':
        return this.options.records ? this.options.records(random) : random.bytes(random.pick([0, 7, 61, 1500]))
      case 'uuid':
        return random.bytes(16).toString('base64url')
    }
  }
}
