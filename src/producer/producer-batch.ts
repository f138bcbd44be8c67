import type { JobRunner } from '../protocol/compression/index.ts'
import { BatchBuilder, type Codec, EncodedBatch, MessageSetBuilder, type RecordBatch } from '../protocol/records/index.ts'
import type { RecordHeader } from '../serde/index.ts'
import type { BatchMemory } from './batch-memory.ts'
import type { ProducerIdentity } from './identity.ts'
import { AcknowledgedRecord, type BatchAcknowledgement } from './record.ts'
import type { SendCall } from './send-call.ts'

export interface BatchEncoding {
  readonly codec: Codec
  readonly level: number | undefined
}

/** A record in bytes. Mutable, so that one object can carry record after record into a batch. */
export interface SerializedRecord {
  key: Uint8Array | null
  value: Uint8Array | null
  headers: readonly RecordHeader[] | undefined
  timestamp: number
}

/** Who gave a batch its identity and which sequence number its first record has. */
export interface BatchSequence {
  readonly identity: ProducerIdentity
  readonly base: number
}

/** Records of one partition that are written, acknowledged and retried together. */
export class ProducerBatch {
  readonly topic: string
  readonly partition: number
  /** On the monotonic clock: linger and delivery timeout count from here. */
  readonly createdAt: number
  /** Of the FlushTracker. */
  generation: number
  count = 0
  /** What the memory bound counts: bytes before compression. */
  sizeBytes: number
  /** What it was given to begin with. */
  readonly capacityBytes: number
  /** Takes no more records. */
  closed = false
  sequence: BatchSequence | undefined
  /** Counts the numbered batches of its partition. */
  ordinal = 0
  attempts = 0
  /** The error code or exception of the last attempt. */
  lastFailure: Error | undefined
  /** An attempt may have been stored although no answer came: it must not be numbered anew as long as that is open. */
  outcomeUnknown = false
  /** Its promises know already: it timed out while its answer was still awaited. */
  settled = false
  private readonly encoding: BatchEncoding
  private readonly memory: BatchMemory
  private builder: BatchBuilder | undefined
  private encoded: Uint8Array | undefined
  /** What `encoded` is a part of, if it is not compressed. */
  private plain: Buffer | undefined
  private stamped: BatchSequence | undefined
  // One entry per record that somebody waits for; enqueued records have none.
  private readonly calls: SendCall[] = []
  private readonly indexes: number[] = []
  private readonly deltas: number[] = []
  private readonly timestamps: number[] = []

  constructor(
    at: { topic: string; partition: number; createdAt: number; generation: number },
    encoding: BatchEncoding,
    memory: BatchMemory,
    capacityBytes: number,
  ) {
    this.topic = at.topic
    this.partition = at.partition
    this.createdAt = at.createdAt
    this.generation = at.generation
    this.encoding = encoding
    this.memory = memory
    this.capacityBytes = capacityBytes
    this.builder = new BatchBuilder({ codec: encoding.codec, level: encoding.level, memory: memory.take(capacityBytes) })
    this.sizeBytes = this.builder.sizeBytes
  }

  /** Adds a record; returns by how many bytes the batch grew. The builder must still be open. */
  append(record: SerializedRecord, call: SendCall | undefined, index: number): number {
    const builder = this.builder!
    const delta = builder.append(record)
    this.count++
    if (call) {
      this.calls.push(call)
      this.indexes.push(index)
      this.deltas.push(delta)
      this.timestamps.push(record.timestamp)
    }
    const grown = builder.sizeBytes - this.sizeBytes
    this.sizeBytes = builder.sizeBytes
    return grown
  }

  /** Records that nobody waits for. */
  get unawaited(): number {
    return this.count - this.calls.length
  }

  /**
   * The bytes to send, under the present sequence. A retry gets the same bytes again, unless its sequence changed: then
   * a copy, since an earlier write may still hold the former ones. A promise only while compression is off the loop.
   */
  encode(offload: JobRunner | undefined): Uint8Array | Promise<Uint8Array> {
    const { sequence, encoded } = this
    this.closed = true
    if (encoded) {
      if (sequence === this.stamped || !sequence) return encoded
      this.encoded = Uint8Array.prototype.slice.call(encoded)
      BatchBuilder.restamp(this.encoded, stampOf(sequence))
      this.stamped = sequence
      return this.encoded
    }
    this.stamped = sequence
    const builder = this.builder!
    const keep = (bytes: Uint8Array): Uint8Array => {
      if (this.encoding.codec === 'none') this.plain = builder.memory
      else this.memory.give(builder.memory)
      this.builder = undefined
      return (this.encoded = bytes)
    }
    const finished = builder.finish({ ...(sequence && stampOf(sequence)), offload })
    return finished instanceof Promise ? finished.then(keep) : keep(finished)
  }

  /**
   * The same records as brokers before 0.11 take them. Such brokers know no sequences, so nothing is kept for a retry.
   * @throws KafkaError ERR_UNSUPPORTED_VERSION where a record has headers
   */
  async encodeMessageSet(magic: 0 | 1, offload: JobRunner | undefined): Promise<Uint8Array> {
    await this.encode(offload)
    const records = await this.open(offload)
    const { codec, level } = this.encoding
    const set = new MessageSetBuilder({ magic, codec, level, capacityBytes: this.sizeBytes })
    for (let i = 0; i < this.count; i++) set.append(recordAt(records, i))
    return set.finish({ offload })
  }

  /** Halves of a batch that the broker found too large (KIP-126). Their sequences, if any, follow one another. */
  async split(
    offload: JobRunner | undefined,
    sequenceAfter: (base: number, count: number) => number,
  ): Promise<[ProducerBatch, ProducerBatch]> {
    const opened = await this.open(offload)
    const first = this.count >> 1
    const halves: [ProducerBatch, ProducerBatch] = [this.part(opened, 0, first), this.part(opened, first, this.count)]
    if (this.sequence) {
      const { identity, base } = this.sequence
      halves[0].sequence = { identity, base }
      halves[1].sequence = { identity, base: sequenceAfter(base, first) }
    }
    return halves
  }

  private open(offload: JobRunner | undefined): RecordBatch | Promise<RecordBatch> {
    const { buffer, byteOffset, byteLength } = this.encoded!
    return new EncodedBatch(Buffer.from(buffer, byteOffset, byteLength)).open({
      checkCrcs: false,
      maxBytes: this.sizeBytes,
      offload,
    })
  }

  private part(records: RecordBatch, from: number, to: number): ProducerBatch {
    const part = new ProducerBatch(this, this.encoding, this.memory, this.sizeBytes >> 1)
    let awaited = this.deltas.findIndex(delta => delta >= from)
    for (let i = from; i < to; i++) {
      const record = recordAt(records, i)
      if (awaited >= 0 && this.deltas[awaited] === i) part.append(record, this.calls[awaited], this.indexes[awaited++]!)
      else part.append(record, undefined, 0)
    }
    part.closed = true
    return part
  }

  /**
   * Its memory may be used anew: there was one attempt, it had left whole when it was answered, and no write is under way.
   * The batch must not be used again.
   */
  recycle(): void {
    if (this.plain) this.memory.give(this.plain)
    this.plain = this.encoded = undefined
  }

  /** Tells every caller where its record is. Once only. */
  acknowledge(acknowledgement: BatchAcknowledgement): void {
    if (this.settled) return
    this.settled = true
    const { calls, indexes, deltas, timestamps } = this
    for (let i = 0; i < calls.length; i++)
      calls[i]!.acknowledged(indexes[i]!, new AcknowledgedRecord(acknowledgement, deltas[i]!, timestamps[i]!))
  }

  /** Tells every caller that its record was not acknowledged, and why. Once only. */
  fail(errorAt: (delta: number) => Error): void {
    if (this.settled) return
    this.settled = true
    for (let i = 0; i < this.calls.length; i++) this.calls[i]!.failed(this.indexes[i]!, errorAt(this.deltas[i]!))
  }
}

function recordAt(records: RecordBatch, i: number): SerializedRecord {
  const headers = records.headersAt(i)
  return {
    key: records.keyAt(i),
    value: records.valueAt(i),
    headers: headers.length > 0 ? headers : undefined,
    timestamp: records.timestampAt(i),
  }
}

const stampOf = ({ identity, base }: BatchSequence) => ({
  producerId: identity.producerId,
  producerEpoch: identity.epoch,
  baseSequence: base,
})
