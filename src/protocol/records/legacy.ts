import { CorruptRecordError } from '../../errors.ts'
import { nodeZlib } from '../zlib.ts'
import { RecordBatch } from './batch.ts'
import { EncodedBatch, hex, inPieces, type OpenOptions } from './encoded-batch.ts'
import * as at from './layout.ts'
import {
  claimRows,
  HEADERS,
  KEY_START,
  OFFSET_DELTA,
  STRIDE,
  TIME_DELTA_HIGH,
  TIME_DELTA_LOW,
  VALUE_START,
} from './record-index.ts'

/** A set of more bytes than this is read and indexed in pieces, some hundred microseconds each. */
const AT_ONCE_BYTES = 64 * 1024
const PIECE_BYTES = 16 * 1024
const PIECE_MESSAGES = 1024

/**
 * A message of formats 0 and 1, seen as a batch: of one record, or, when it wraps a compressed message set, of that set's.
 * Before it is opened such a wrapper knows only the offset of its last record: `baseOffset` says the same and `count` is -1.
 */
export class LegacyBatch extends EncodedBatch {
  override get baseOffset(): bigint {
    return this.lastOffset
  }
  override get lastOffset(): bigint {
    return this.bytes.readBigInt64BE(0)
  }
  override get count(): number {
    return this.codec === 'none' ? 1 : -1
  }
  /** The time of a single message; of a wrapper, the latest of its messages. -1 in format 0, which has none. */
  override get firstTimestamp(): bigint {
    return timeOf(this.bytes, 0)
  }
  override get maxTimestamp(): bigint {
    return timeOf(this.bytes, 0)
  }
  override get baseTime(): number {
    return Number(this.firstTimestamp)
  }
  override get isTransactional(): boolean {
    return false
  }
  override get isControl(): boolean {
    return false
  }
  override get hasDeleteHorizon(): boolean {
    return false
  }
  override get producerId(): bigint {
    return -1n
  }
  override get producerEpoch(): number {
    return -1
  }
  override get baseSequence(): number {
    return -1
  }
  override get partitionLeaderEpoch(): number {
    return -1
  }
  protected override get attributes(): number {
    // Format 0 has no timestamp, hence no type of it.
    return this.bytes[at.LEGACY_ATTRIBUTES]! & (this.magic === 0 ? at.CODEC_MASK : 0xff)
  }

  override open({ checkCrcs, maxBytes, offload }: OpenOptions): RecordBatch | Promise<RecordBatch> {
    const { bytes, codec } = this
    const last = this.lastOffset
    const { keyStart, valueStart, valueEnd } = partsOf(bytes, 0, last, checkCrcs)
    if (codec === 'none') {
      const messages = [{ offset: last, at: 0, keyStart, valueStart, valueEnd }]
      return inPieces(() => this.indexMessages(bytes, messages, 0n), undefined)
    }
    if (codec === 'zstd') throw this.corrupt(`format ${this.magic} has no zstd`) // as Java, KIP-110
    if (valueEnd < valueStart) throw this.corrupt('a compressed message set is null')
    const unwrapped = (set: Buffer): RecordBatch | Promise<RecordBatch> =>
      inPieces(() => this.unwrap(set, checkCrcs), set.length > AT_ONCE_BYTES ? offload : undefined)
    const set = this.decompressed(codec, bytes.subarray(valueStart, valueEnd), maxBytes, offload)
    return set instanceof Promise ? set.then(unwrapped) : unwrapped(set)
  }

  /** The messages of a wrapped set. Format 1 numbers them relative to the first (KIP-31), format 0 absolutely. */
  private *unwrap(set: Buffer, checkCrcs: boolean): Generator<void, RecordBatch, void> {
    const last = this.lastOffset
    const messages: Message[] = []
    for (let start = 0, pieceEnd = PIECE_BYTES; set.length - start >= at.PREFIX; ) {
      const offset = set.readBigInt64BE(start)
      const size = at.PREFIX + set.readInt32BE(start + at.LENGTH)
      if (size < at.PREFIX + at.LEAST_LEGACY_BYTES) throw this.corrupt(`a message inside claims ${size} bytes`)
      if (size > set.length - start) break // a truncated tail, as outside
      const message = set.subarray(start, start + size)
      const { keyStart, valueStart, valueEnd } = partsOf(message, start, offset, checkCrcs)
      if (codecBits(message) !== 0) throw this.corrupt('a compressed message is inside a compressed one')
      messages.push({ offset, at: start, keyStart, valueStart, valueEnd })
      start += size
      if (start < pieceEnd) continue
      pieceEnd = start + PIECE_BYTES
      yield
    }
    const lastInner = messages.at(-1)?.offset
    if (lastInner === undefined) throw this.corrupt('a compressed message set is empty')
    if (this.magic === 0) return yield* this.indexMessages(set, messages, 0n)
    // Old librdkafka left the wrapper's offset at 0 in what it produced.
    if (last !== 0n && last < lastInner) throw this.corrupt(`a message inside has the relative offset ${lastInner}`)
    return yield* this.indexMessages(set, messages, last === 0n ? 0n : last - lastInner)
  }

  /** @param base What the offsets of the messages count from. */
  private *indexMessages(buffer: Buffer, messages: readonly Message[], base: bigint): Generator<void, RecordBatch, void> {
    const first = messages[0]!.offset
    const baseTime = this.firstTimestamp
    const { rows, base: firstRow } = claimRows(messages.length)
    let row = firstRow
    for (const [i, message] of messages.entries()) {
      const delta = message.offset - first
      if (delta !== BigInt.asIntN(32, delta)) throw this.corrupt(`offset ${message.offset + base} is in the same message set`)
      const time = BigInt.asUintN(64, timeOf(buffer, message.at) - baseTime)
      rows[row + OFFSET_DELTA] = Number(delta)
      rows[row + TIME_DELTA_LOW] = Number(time & 0xffff_ffffn)
      rows[row + TIME_DELTA_HIGH] = Number(time >> 32n)
      const keyEnd = message.valueStart - 4
      rows[row + KEY_START] = message.keyStart
      rows[row + KEY_START + 1] = buffer.readInt32BE(message.keyStart - 4) < 0 ? message.keyStart - 1 : keyEnd
      rows[row + VALUE_START] = message.valueStart
      rows[row + VALUE_START + 1] = message.valueEnd
      rows[row + HEADERS] = -1
      row += STRIDE
      if (i % PIECE_MESSAGES === PIECE_MESSAGES - 1) yield
    }
    return new RecordBatch(this, buffer, messages.length, rows, firstRow, first + base)
  }
}

interface Message {
  /** As it says itself. */
  readonly offset: bigint
  /** Where it starts. */
  readonly at: number
  readonly keyStart: number
  readonly valueStart: number
  /** Below the start for null. */
  readonly valueEnd: number
}

/** Verifies a message and finds its fields; `shift` is added to their places. */
function partsOf(message: Buffer, shift: number, offset: bigint, checkCrc: boolean): Omit<Message, 'offset' | 'at'> {
  const magic = message[at.MAGIC]!
  if (magic > 1) throw corrupt(offset, `it is inside a message of an older format and claims format ${magic}`)
  if (checkCrc) {
    const found = nodeZlib().crc32(message.subarray(at.MAGIC))
    const announced = message.readUInt32BE(at.LEGACY_CRC)
    if (found !== announced) throw corrupt(offset, `its checksum is ${hex(found)}, not ${hex(announced)} as it says`)
  }
  const keyStart = at.LEGACY_TIMESTAMP + 8 * magic + 4
  const valueStart = keyStart + 4 + lengthAt(message, keyStart - 4, offset)
  const size = lengthAt(message, valueStart - 4, offset)
  const isNull = message.readInt32BE(valueStart - 4) < 0
  return { keyStart: shift + keyStart, valueStart: shift + valueStart, valueEnd: shift + valueStart + (isNull ? -1 : size) }
}

/** The length of a field, 0 for null, of which enough bytes are there. */
function lengthAt(message: Buffer, place: number, offset: bigint): number {
  const left = message.length - place - 4
  const size = left < 0 ? 0 : Math.max(message.readInt32BE(place), 0)
  if (size > left) throw corrupt(offset, `a field of ${size} bytes exceeds the ${Math.max(left, 0)} left`)
  return size
}

const codecBits = (message: Buffer): number => message[at.LEGACY_ATTRIBUTES]! & at.CODEC_MASK
const timeOf = (buffer: Buffer, message: number): bigint =>
  buffer[message + at.MAGIC] === 0 ? -1n : buffer.readBigInt64BE(message + at.LEGACY_TIMESTAMP)

function corrupt(baseOffset: bigint, reason: string): CorruptRecordError {
  const message = `the message at offset ${baseOffset} is damaged: ${reason}; if it stays so when fetched again, seek past it`
  return new CorruptRecordError(message, { baseOffset })
}
