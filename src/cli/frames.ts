/** Cuts a stream into frames, and finds the next one where bytes are missing or make no sense. */
import { type Finding, type Frame, fault } from './dissect.ts'
import type { Run, Stream } from './tcp-streams.ts'

/** How the frames of a stream are told from other bytes. `at` is where the length of a frame may begin in `bytes`. */
export interface FrameRules {
  readonly leastBytes: number
  /** A look at what a frame begins with: enough where one is due. */
  begins(bytes: Buffer, at: number): boolean
  /** Certainty that a frame begins there: for the search. */
  reads(bytes: Buffer, at: number): boolean
}

/** The frames of a stream, and, in between, what keeps others from being read. */
export function* framesOf(stream: Stream, where: string, rules: FrameRules): Generator<Frame | Finding> {
  // Where the next frame has to begin, if that is known.
  let due = stream.opened ? 0 : undefined
  let behind = 0
  for (const run of [...stream.runs, { start: stream.end, bytes: NOTHING }]) {
    if (run.start > behind) yield fault(where, behind, hole(stream, behind, run.start))
    behind = run.start + run.bytes.length
    if (due !== undefined && due >= behind) continue
    const cutter = new RunCutter(run, where, rules, due, stream.probed && run === stream.runs[0])
    yield* cutter.frames()
    due = cutter.due
  }
}

const NOTHING = Buffer.alloc(0)

const hole = (stream: Stream, start: number, end: number): string =>
  `${end - start} bytes are missing in the capture, up to byte ${end}: ${
    stream.shortened(start, end) ? 'packets are in it in part only' : 'packets were lost'
  }`

const LENGTH_BYTES = 4
/** How many frames in a row by their lengths alone: enough to reach one that is known. */
const UNKNOWN_FRAMES = 64

class RunCutter {
  /** Where the next frame has to begin in the stream; undefined where that got lost. */
  due: number | undefined
  private readonly bytes: Buffer
  private readonly start: number
  private readonly where: string
  private readonly rules: FrameRules
  private readonly probed: boolean
  /** From here on a search found nothing. */
  private barren = Number.POSITIVE_INFINITY

  constructor({ start, bytes }: Run, where: string, rules: FrameRules, due: number | undefined, probed: boolean) {
    this.bytes = bytes
    this.start = start
    this.where = where
    this.rules = rules
    this.due = due
    this.probed = probed
  }

  *frames(): Generator<Frame | Finding> {
    const { bytes, start, where } = this
    let at = this.due === undefined || this.due < start ? 0 : this.due - start
    let isDue = this.due === start + at
    if (isDue && at > 0 && !this.isFrame(at, true)) {
      // The length of a frame that was cut in two misled.
      at = 0
      isDue = false
    }
    while (at < bytes.length) {
      if (!this.isFrame(at, isDue)) {
        const next = this.search(at + 1)
        // A frame that is due is shown as far as it goes, however little is known of it.
        if (next < bytes.length || !isDue || !this.hasSense(at)) {
          if (!(this.probed && at === 0 && next === 1)) yield this.passedOver(at, next, isDue)
          at = next
          isDue = false
          continue
        }
      }
      const size = bytes.readInt32BE(at)
      at += LENGTH_BYTES
      yield { where, start: start + at, size, bytes: bytes.subarray(at, at + size) }
      at += size
      isDue = true
    }
    this.due = isDue ? start + at : undefined
  }

  private size(at: number): number | undefined {
    return sizeAt(this.bytes, at, this.rules)
  }

  private hasSense(at: number): boolean {
    return this.size(at) !== undefined
  }

  private isFrame(at: number, isDue: boolean): boolean {
    if (!this.hasSense(at)) return false
    return (isDue ? this.rules.begins(this.bytes, at) : this.rules.reads(this.bytes, at)) || this.lengthsLead(at)
  }

  /** Whether one length after the other leads to a frame that is known, or to the very end. */
  private lengthsLead(at: number): boolean {
    for (let frames = 0; frames < UNKNOWN_FRAMES; frames++) {
      const size = this.size(at)
      if (size === undefined) return false
      at += LENGTH_BYTES + size
      if (at === this.bytes.length) return true
      if (at > this.bytes.length) return false
      if (this.hasSense(at) && this.rules.begins(this.bytes, at)) return true
    }
    return false
  }

  /** Where the next frame begins for certain; the end if none does, which the bytes up to there need not be asked twice. */
  private search(from: number): number {
    const { bytes } = this
    if (from >= this.barren) return bytes.length
    const start = frameStart(bytes, from, this.rules)
    if (start === bytes.length) this.barren = from
    return start
  }

  private passedOver(at: number, next: number, isDue: boolean): Finding {
    const { bytes, start, where } = this
    const upTo = next === bytes.length ? '' : `; ${next - at} bytes are passed over, up to byte ${start + next}`
    return fault(where, start + at, `${this.whyNot(at, isDue)}${upTo}`)
  }

  private whyNot(at: number, isDue: boolean): string {
    const left = this.bytes.length - at
    if (isTls(this.bytes, at)) return 'this is TLS; capture a plain-text listener, or decrypt first'
    if (!isDue) return `${left} bytes follow, and no frame begins here: the first part of one is missing`
    if (left < LENGTH_BYTES) return `${left} bytes are left, a frame begins with a length of ${LENGTH_BYTES}`
    const size = this.bytes.readInt32BE(at)
    return `a frame of ${size} bytes makes no sense: is this the start of a frame?`
  }
}

/** The length at that place, where it makes sense. */
function sizeAt(bytes: Buffer, at: number, { leastBytes }: FrameRules): number | undefined {
  if (at + LENGTH_BYTES > bytes.length || isTls(bytes, at)) return undefined
  const size = bytes.readInt32BE(at)
  return size < leastBytes ? undefined : size
}

/** Where, from that place on, a frame begins for certain; the end if none does. */
export function frameStart(bytes: Buffer, at: number, rules: FrameRules): number {
  const { leastBytes } = rules
  const last = bytes.length - LENGTH_BYTES
  let size = at <= last ? bytes.readUIntBE(at, LENGTH_BYTES - 1) : 0
  for (; at <= last; at++) {
    size = (size << 8) | bytes[at + LENGTH_BYTES - 1]!
    if (size >= leastBytes && sizeAt(bytes, at, rules) !== undefined && rules.reads(bytes, at)) return at
  }
  return bytes.length
}

export const isTls = (bytes: Buffer, at = 0): boolean => bytes[at] === 0x16 && bytes[at + 1] === 3 && bytes[at + 2]! <= 4
