/** TCP segments as connections of two streams each: order restored, repeats dropped, holes kept as holes. */
import type { Segment } from './packet.ts'

/** Bytes of a stream that were captured one after the other. */
export interface Run {
  /** In the stream; bytes that are missing count as well. */
  readonly start: number
  readonly bytes: Buffer
}

/** One direction of a connection. */
export interface Stream {
  readonly from: string
  readonly to: string
  /** Whether the capture has its beginning. */
  readonly opened: boolean
  readonly runs: readonly Run[]
  /** What is known to have been sent, captured or not. */
  readonly end: number
  /** The first segment may be no data, but a probe whether the peer is still there: one byte, from before the stream's next. */
  readonly probed: boolean
  /** Whether packets that had some of these bytes were kept in part only (snapshot length). */
  shortened(start: number, end: number): boolean
}

/** The first is that of the side that was seen first: the one that opened the connection, if the capture has that. */
export type Connection = readonly [Stream, Stream]

/** Connections in the order in which they appear. */
export function connectionsOf(segments: Iterable<Segment>): Connection[] {
  const all: Conversation[] = []
  const latest = new Map<string, Conversation>()
  for (const segment of segments) {
    const ends = [segment.from, segment.to].sort().join(' ')
    let conversation = latest.get(ends)
    if (!conversation || conversation.isOverBy(segment)) {
      conversation = new Conversation(segment)
      latest.set(ends, conversation)
      all.push(conversation)
    }
    conversation.add(segment)
  }
  return all.map(conversation => conversation.connection())
}

class Conversation {
  private readonly one: Direction
  private readonly other: Direction

  constructor({ from, to }: Segment) {
    this.one = new Direction(from, to)
    this.other = new Direction(to, from)
  }

  /** Whether the same ports serve for another connection from this segment on. */
  isOverBy({ from, syn, opens, sequence }: Segment): boolean {
    if (!syn) return false
    const [own, peer] = this.from(from)
    if (own.syn !== undefined) return own.syn !== sequence
    // Captured behind what it begins: packets change places.
    if (own.beginsBehind(sequence)) return false
    return !opens && peer.syn !== undefined ? own.hasBytes : own.isKnown || peer.isKnown
  }

  add(segment: Segment): void {
    const [own, peer] = this.from(segment.from)
    own.add(segment)
    if (segment.acknowledged !== undefined) peer.acknowledge(segment.acknowledged)
  }

  connection(): Connection {
    return [this.one.stream(), this.other.stream()]
  }

  private from(address: string): readonly [own: Direction, peer: Direction] {
    return this.one.from === address ? [this.one, this.other] : [this.other, this.one]
  }
}

interface Piece {
  /** Relative to the first sequence number seen. */
  readonly at: number
  readonly payload: Buffer
  readonly size: number
}

class Direction {
  readonly from: string
  private readonly to: string
  syn: number | undefined
  private first: number | undefined
  private fin: number | undefined
  private acknowledged = Number.NEGATIVE_INFINITY
  private readonly pieces: Piece[] = []
  private sequence: number | undefined
  private position = 0
  private least: { readonly position: number; readonly sequence: number } | undefined

  constructor(from: string, to: string) {
    this.from = from
    this.to = to
  }

  get isKnown(): boolean {
    return this.sequence !== undefined
  }
  get hasBytes(): boolean {
    return this.pieces.length > 0
  }
  /** Whether the first number known of it is the next one. */
  beginsBehind(sequence: number): boolean {
    return this.least?.sequence === (sequence + 1) >>> 0
  }

  add({ sequence, syn, fin, payload, size }: Segment): void {
    const at = this.place(sequence) + (syn ? 1 : 0)
    if (syn) {
      this.syn = sequence
      this.first = at
    }
    if (size > 0) this.pieces.push({ at, payload, size })
    if (fin) this.fin = at + size
  }

  acknowledge(sequence: number): void {
    this.acknowledged = Math.max(this.acknowledged, this.place(sequence))
  }

  /** Sequence numbers wrap at 2^32: the nearest to the last one is meant. */
  private place(sequence: number): number {
    this.position += (sequence - (this.sequence ?? sequence)) | 0
    this.sequence = sequence
    if (!this.least || this.position < this.least.position) this.least = { position: this.position, sequence }
    return this.position
  }

  stream(): Stream {
    const { from, to, pieces } = this
    const probed = this.first === undefined && pieces[0]?.size === 1
    pieces.sort((a, b) => a.at - b.at || b.payload.length - a.payload.length)
    const base = this.first ?? pieces[0]?.at ?? 0
    const runs = runsOf(pieces, base)
    const sent = pieces.reduce((last, { at, size }) => Math.max(last, at + size), base)
    const shortens = touching(pieces.filter(({ payload, size }) => payload.length < size))
    return {
      from,
      to,
      opened: this.first !== undefined,
      runs,
      end: Math.max(sent, this.received(sent)) - base,
      probed,
      shortened: (start, end) => shortens(base + start, base + end),
    }
  }

  /** As the peer acknowledges it, without the one number that the end of the stream takes. */
  private received(sent: number): number {
    if (this.fin !== undefined) return this.fin
    return this.acknowledged === sent + 1 ? sent : this.acknowledged
  }
}

function runsOf(pieces: readonly Piece[], base: number): Run[] {
  const runs: { start: number; chunks: Buffer[] }[] = []
  let next = base
  for (const { at, payload } of pieces) {
    const end = at + payload.length
    if (payload.length === 0 || end <= next) continue
    const fresh = payload.subarray(Math.max(0, next - at))
    if (at <= next && runs.length > 0) runs.at(-1)!.chunks.push(fresh)
    else runs.push({ start: Math.max(at, next) - base, chunks: [fresh] })
    next = end
  }
  return runs.map(({ start, chunks }) => ({ start, bytes: Buffer.concat(chunks) }))
}

/** Tells whether any of these pieces, in the order in which they begin, has bytes of a range: by halving, as each hole asks. */
function touching(pieces: readonly Piece[]): (start: number, end: number) => boolean {
  let furthest = Number.NEGATIVE_INFINITY
  /** Of each piece and all in front of it. */
  const ends = pieces.map(({ at, size }) => {
    furthest = Math.max(furthest, at + size)
    return furthest
  })
  return (start, end) => {
    let low = 0
    let high = pieces.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (pieces[middle]!.at < end) low = middle + 1
      else high = middle
    }
    return low > 0 && ends[low - 1]! > start
  }
}
