/**
 * Reads a message slowly, field by field, and says where each one lies: what the wire inspector prints, and how a decode
 * failure learns the path and the offset of the field that broke. (The generated codecs keep no track of where they are.)
 */
import { FIXED_BYTES, hasLength, Layout, markVerb } from './presence.ts'
import { ALWAYS, type AnyField, type Message, type Presence, type Primitive, type Shape, type Wire } from './schema.ts'
import { Reader } from './wire.ts'

/**
 * A field, an element of an array (named `[3]`), or the section of tagged fields that ends a struct of a flexible version;
 * and the bytes it takes.
 */
export interface TraceNode {
  readonly name: string
  /** `topics[3].partitions[0].errorCode`; empty for the message itself. */
  readonly path: string
  readonly type: Primitive | 'array' | 'struct' | 'tags' | 'unknown tag'
  /** Number of a tagged field. */
  readonly tag?: number
  /** Offset of its first byte, length prefix included, … */
  readonly start: number
  /** … and of the first byte behind it, or of where reading stopped. */
  end: number
  /** Of a primitive; null where an array or struct is null. */
  value?: unknown
  readonly children: TraceNode[]
  /** How many elements of an array were read and left out, before a last one that breaks: the tree has its limits. */
  leftOut?: number
  /** Why it could not be read. Its parents carry no reason; nothing follows it. */
  error?: string
}

/** Which field of a message broke, where it begins, and why. */
export interface Fault {
  readonly path: string
  readonly offset: number
  readonly reason: string
}

/** A frame may hold an element in every byte, and a node takes more than a hundred. No answer that a person reads is larger. */
const MOST_NODES = 300_000

/**
 * The tree of a message that starts at `offset`. Never throws for what the bytes say: see `error` and `faultOf`. Beyond the
 * first 300,000 nodes it keeps of arrays only what breaks.
 */
export function trace(message: Message, version: number, buffer: Buffer, offset = 0): TraceNode {
  const reader = new Reader(buffer, offset)
  const root: TraceNode = { name: message.name, path: '', type: 'struct', start: offset, end: offset, children: [] }
  const open: TraceNode[] = [root]
  let nodes = 0
  const tree: Visitor = {
    enter(step, type, tag) {
      const name = nameOf(step)
      const parent = open.at(-1)!
      const node: TraceNode = {
        name,
        path: join((parent.type === 'tags' ? open.at(-2)! : parent).path, name),
        type,
        ...(tag !== undefined && { tag }),
        start: reader.position,
        end: reader.position,
        children: [],
      }
      parent.children.push(node)
      open.push(node)
      nodes++
    },
    leave(value) {
      const node = open.pop()!
      node.end = reader.position
      if (value !== undefined) node.value = value
      const parent = open.at(-1)!
      if (nodes <= MOST_NODES || parent.type !== 'array') return
      parent.children.pop()
      parent.leftOut = (parent.leftOut ?? 0) + 1
    },
  }
  try {
    new Walk(new Layout(message, version), reader, tree).struct(message.shape)
  } catch (error) {
    open.at(-1)!.error = reasonOf(error)
    // The position behind a failed read is meaningless; that of its last complete child is not.
    for (const node of open.reverse()) node.end = Math.max(node.start, node.children.at(-1)?.end ?? node.start)
    return root
  }
  root.end = reader.position
  return root
}

/** The node at which reading stopped, if it did. */
export function faultOf(node: TraceNode): Fault | undefined {
  if (node.error !== undefined) return { path: node.path, offset: node.start, reason: node.error }
  const last = node.children.at(-1)
  return last && faultOf(last)
}

/** Where a message that cannot be decoded breaks. Keeps the path only, whatever the size of the message. */
export function locateFault(message: Message, version: number, buffer: Buffer, offset = 0): Fault | undefined {
  const reader = new Reader(buffer, offset)
  const steps: (string | number)[] = [],
    starts: number[] = []
  const path: Visitor = {
    enter(step) {
      steps.push(step)
      starts.push(reader.position)
    },
    leave() {
      steps.pop()
      starts.pop()
    },
  }
  try {
    new Walk(new Layout(message, version), reader, path).struct(message.shape)
  } catch (error) {
    const names = steps.filter((step, i) => step !== TAGS || i === steps.length - 1).map(nameOf)
    return { path: names.reduce(join, ''), offset: starts.at(-1) ?? offset, reason: reasonOf(error) }
  }
  return undefined
}

/** Name of the section of tagged fields; the paths of its fields go without. */
const TAGS = '(tags)'
const join = (path: string, name: string): string => (path === '' || name.startsWith('[') ? path + name : `${path}.${name}`)
/** Elements of arrays are entered by their number. */
const nameOf = (step: string | number): string => (typeof step === 'number' ? `[${step}]` : step)

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.startsWith('Offset is outside') ? 'the bytes end before it does' : text // DataView's words
}

interface Visitor {
  enter(step: string | number, type: TraceNode['type'], tag?: number): void
  leave(value?: unknown): void
}

interface FieldsOnWire {
  readonly plain: readonly (readonly [string, AnyField])[]
  readonly tagged: ReadonlyMap<number, readonly [string, AnyField]>
}

class Walk {
  private readonly layout: Layout
  private readonly reader: Reader
  private readonly visitor: Visitor
  private readonly fields = new Map<Shape, FieldsOnWire>()

  constructor(layout: Layout, reader: Reader, visitor: Visitor) {
    this.layout = layout
    this.reader = reader
    this.visitor = visitor
  }

  struct(shape: Shape): void {
    const { plain, tagged } = this.fieldsOf(shape)
    for (const [name, { wire, presence }] of plain) this.field(name, wire, presence)
    if (!this.layout.flexible) return
    this.visitor.enter(TAGS, 'tags')
    this.reader.tags({}, (tag, _, reader, size) => {
      const field = tagged.get(tag)
      if (field) {
        this.field(field[0], field[1].wire, field[1].presence)
      } else {
        this.visitor.enter(`tag ${tag}`, 'unknown tag', tag)
        this.visitor.leave(reader.slice(size))
      }
      return true
    })
    this.visitor.leave()
  }

  private fieldsOf(shape: Shape): FieldsOnWire {
    let fields = this.fields.get(shape)
    if (!fields) {
      const present = Object.entries(shape).filter(([, { presence }]) => this.layout.onWire(presence))
      fields = {
        plain: present.filter(([, { presence }]) => presence.tag === undefined),
        tagged: new Map(present.flatMap(field => (field[1].presence.tag === undefined ? [] : [[field[1].presence.tag, field]]))),
      }
      this.fields.set(shape, fields)
    }
    return fields
  }

  private field(step: string | number, wire: Wire, at: Presence): void {
    this.visitor.enter(step, wire.kind === 'primitive' ? wire.primitive : wire.kind, at.tag)
    const value = this.value(wire, at)
    if (value === null && hasLength(wire) && !this.layout.nullable(at))
      throw new RangeError('it must not be null in this version')
    this.visitor.leave(value)
  }

  private value(wire: Wire, at: Presence): unknown {
    if (wire.kind === 'primitive') return this.primitive(wire.primitive)
    if (wire.kind === 'array') {
      const n = this.reader[this.layout.countVerb](this.layout.leastBytes(wire.element))
      for (let i = 0; i < n; i++) this.field(i, wire.element, ALWAYS)
      return n < 0 ? null : undefined
    }
    if (this.layout.nullable(at) && !this.reader[markVerb(at)]()) return null
    this.struct(wire.shape)
    return undefined
  }

  private primitive(primitive: Primitive): unknown {
    const { reader } = this,
      size = FIXED_BYTES[primitive] ?? 0,
      left = reader.buffer.length - reader.position
    if (size > left) throw new RangeError(`${size} bytes are needed, and ${left} left`)
    return reader[this.layout.verb(primitive)]()
  }
}
