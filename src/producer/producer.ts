import { refusalOf } from '../client/call-options.ts'
import { Client } from '../client/client.ts'
import { ClosedError, KafkaError, TimeoutError } from '../errors.ts'
import { describe } from '../protocol/misfit.ts'
import { isBytes } from '../protocol/records/builder.ts'
import type { Runtime, Timer } from '../runtime/runtime.ts'
import type { Serde, SerdeContext } from '../serde/index.ts'
import { Deadline } from '../util/deadline.ts'
import { disown } from '../util/disown.ts'
import { Accumulator } from './accumulator.ts'
import { type ProducerOptions, type ProducerOptionsInput, parseProducerOptions } from './options.ts'
import type { SerializedRecord } from './producer-batch.ts'
import type { ProducerTopic } from './producer-topic.ts'
import { headerList, type ProducerRecord, type RecordMetadata, timestampMs } from './record.ts'
import { ManySend, type SendCall, SingleSend } from './send-call.ts'
import { Sender } from './sender.ts'

/**
 * Sends records: gathers them into a batch per partition, keeps several requests in flight to each broker, and
 * retries until each record is acknowledged or `deliveryTimeoutMs` have passed. By default nothing is stored twice, and
 * the records of a partition are stored in the order of the calls.
 *
 * Nothing is dialled before the first record or `connect()`.
 */
export class Producer<K = Uint8Array | null, V = Uint8Array | null> {
  /** Its connections; shared, if it was passed in. */
  readonly client: Client
  private readonly ownsClient: boolean
  private readonly options: ProducerOptions
  private readonly keySerde: Serde<K>
  private readonly valueSerde: Serde<V>
  private readonly accumulator: Accumulator
  private readonly sender: Sender
  private readonly stopListening: () => void
  private closing: Promise<void> | undefined
  private lastTopic: ProducerTopic | undefined
  /** One object carries every record into its batch. */
  private readonly scratch: SerializedRecord = { key: null, value: null, headers: undefined, timestamp: 0 }

  /**
   * @param options the producer's own, and either those of a client (`bootstrapServers` …) or `{ client }`
   * @throws ConfigError
   */
  constructor(options: ProducerOptionsInput<K, V>, runtime?: Runtime) {
    const { own, client } = parseProducerOptions(options)
    this.ownsClient = !(client instanceof Client)
    this.client = client instanceof Client ? client : new Client(client, runtime)
    if (this.ownsClient) this.client.role = 'producer'
    this.options = own
    this.keySerde = own.key as Serde<K>
    this.valueSerde = own.value as Serde<V>
    const { runtime: outside, metadata } = this.client
    this.accumulator = new Accumulator(
      { ...own, encoding: { codec: own.compression, level: own.compressionLevel } },
      { clock: outside.clock, random: outside.random },
      {
        locate: (topic, again) => void this.locate(topic, again),
        appended: (queue, due) => this.sender.appended(queue, due),
        exhausted: () => this.sender.wakeAll(),
        takesRecords: (topic, partition) => this.sender.takesRecords(topic, partition),
        lost: (error, topic, records) => this.lost(error, { topic, records }),
      },
    )
    this.sender = new Sender(this.client, this.accumulator, {
      ...own,
      idempotence: idempotenceOf(own),
      codec: own.compression,
      offload: outside.offload,
      lost: (error, topic, partition, records) => this.lost(error, { topic, partition, records }),
    })
    this.stopListening = metadata.onChange(() => this.metadataChanged())
  }

  /** Resolves once the cluster answered, for those who want to fail fast. */
  async connect(options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<void> {
    this.checkOpen()
    await this.client.connect(options)
  }

  /**
   * Sends one record, or many. Resolves when all are acknowledged, in the order of the argument.
   *
   * One record rejects with its error. Many reject with a PartialFailureError, whose `results` say per record. Where an
   * error's `outcome` is 'unknown' the record may have been stored all the same.
   * @throws KafkaError ERR_RECORD_TOO_LARGE, ERR_SERIALIZATION, ERR_INVALID_ARGUMENT; TimeoutError after `maxBlockMs` without
   *   room in the buffer or metadata, after `deliveryTimeoutMs` without an acknowledgement; BrokerError; ClosedError
   */
  send(record: ProducerRecord<K, V>): Promise<RecordMetadata>
  send(records: readonly ProducerRecord<K, V>[]): Promise<RecordMetadata[]>
  async send(input: ProducerRecord<K, V> | readonly ProducerRecord<K, V>[]): Promise<RecordMetadata | RecordMetadata[]> {
    this.checkOpen()
    const now = this.client.runtime.clock.now()
    if (!isMany(input)) {
      const call = new SingleSend()
      this.submit(input, now, call, 0)
      return call.promise
    }
    const call = new ManySend(input.length)
    for (let i = 0; i < input.length; i++) this.submit(input[i]!, now, call, i)
    return call.promise
  }

  /**
   * Sends a record without a promise of its own: trouble goes to `onError`. False: taken, but the buffer is nearly
   * full, so await `drained()` before the next.
   * @throws KafkaError ERR_BUFFER_FULL when that was not heeded and the record was not taken, ERR_RECORD_TOO_LARGE,
   *   ERR_SERIALIZATION, ERR_INVALID_ARGUMENT; ClosedError
   */
  enqueue(record: ProducerRecord<K, V>): boolean {
    this.checkOpen()
    const { accumulator, scratch } = this
    const topic = this.serialize(record, this.client.runtime.clock.now())
    const size = accumulator.sizeOf(scratch)
    if (!accumulator.hasRoomFor(size))
      throw new KafkaError(
        'ERR_BUFFER_FULL',
        `the buffer holds ${accumulator.bufferedBytes} bytes, and bufferMemory allows no more: await drained() when enqueue() returns false`,
        { retriable: true },
      )
    accumulator.add(topic, scratch, size, record.partition, undefined, 0)
    return !accumulator.isFull
  }

  /** Resolves once the buffer has room again: at once, unless `enqueue()` returned false. */
  drained(): Promise<void> {
    return this.accumulator.drained()
  }

  /** Bytes of records that are not acknowledged yet. */
  get bufferedBytes(): number {
    return this.accumulator.bufferedBytes
  }

  /** Sends what lingers. Resolves when every record sent before is acknowledged or failed; failures reach whoever sent it. */
  async flush(): Promise<void> {
    this.checkOpen()
    const flushed = this.accumulator.flushes.flush()
    this.sender.wakeAll()
    await flushed
  }

  /**
   * Flushes, then ends. What is not acknowledged after `timeoutMs` (default: `deliveryTimeoutMs`) fails with a
   * ClosedError. A second call returns the same promise.
   */
  close(options: { timeoutMs?: number } = {}): Promise<void> {
    const refused = refusalOf('close()', options, ['timeoutMs'])
    if (refused) return refused
    this.closing ??= this.shutDown(options.timeoutMs ?? this.options.deliveryTimeoutMs)
    return this.closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private checkOpen(): void {
    if (this.closing) throw new ClosedError('the producer')
  }

  private submit(record: ProducerRecord<K, V>, now: number, call: SendCall, index: number): void {
    try {
      const topic = this.serialize(record, now)
      this.accumulator.add(topic, this.scratch, this.accumulator.sizeOf(this.scratch), record.partition, call, index)
    } catch (error) {
      call.failed(index, error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** Into `scratch`. */
  private serialize(record: ProducerRecord<K, V>, now: number): ProducerTopic {
    const topic = record.topic === this.lastTopic?.name ? this.lastTopic : this.topicNamed(record.topic)
    const { scratch } = this
    const { key, partition, timestamp } = record
    const headers = record.headers === undefined ? undefined : headerList(record.headers)
    const { keyContext, valueContext } = topic
    scratch.headers = headers
    scratch.timestamp = timestamp === undefined ? now : timestampMs(timestamp)
    scratch.key =
      key === null || key === undefined
        ? null
        : written(this.keySerde.serialize(key, headers ? { ...keyContext, headers } : keyContext), keyContext)
    if (record.value === undefined && !('value' in record))
      throw new KafkaError(
        'ERR_INVALID_ARGUMENT',
        `a record for ${topic.name} has no value, only ${Object.keys(record).join(', ')}: a tombstone is { value: null }`,
      )
    scratch.value = written(
      this.valueSerde.serialize(record.value, headers ? { ...valueContext, headers } : valueContext),
      valueContext,
    )
    if (partition !== undefined && !(Number.isInteger(partition) && partition >= 0))
      throw new KafkaError(
        'ERR_INVALID_ARGUMENT',
        `the partition ${String(partition)} is not a whole number from 0: leave it out to let the partitioner choose`,
      )
    return topic
  }

  private topicNamed(name: string): ProducerTopic {
    if (typeof name !== 'string' || name === '')
      throw new KafkaError('ERR_INVALID_ARGUMENT', 'a record needs the name of its topic')
    return (this.lastTopic = this.accumulator.topic(name))
  }

  /** Asks for the partitions of a topic; `again` when they are known but seem out of date. */
  private async locate(topic: ProducerTopic, again: boolean): Promise<void> {
    const { metadata } = this.client
    const { maxBlockMs: timeoutMs, allowAutoCreateTopics: allowAutoCreate } = this.options
    try {
      topic.untrack ??= metadata.track([topic.name])
      if (again) await metadata.refresh(`a record names a partition that ${topic.name} seems to lack`)
      await metadata.ensure([topic.name], { timeoutMs, allowAutoCreate })
      if (!this.learn(topic))
        throw new KafkaError('ERR_ILLEGAL_STATE', `the metadata of ${topic.name} vanished as soon as it came: send again`, {
          retriable: true,
        })
    } catch (error) {
      this.accumulator.topicFailed(topic, error instanceof Error ? error : new Error(String(error)))
    }
  }

  private metadataChanged(): void {
    const { options, runtime } = this.client
    const idleSince = runtime.clock.monotonic() - options.metadataMaxIdleMs
    for (const topic of this.accumulator.allTopics()) {
      if (topic.state !== 'known') continue
      if (topic.usedAt > idleSince || !topic.isIdle) {
        this.learn(topic)
        continue
      }
      // Not asked about any more, until it is written to again.
      topic.untrack?.()
      topic.untrack = undefined
      topic.state = 'unknown'
    }
  }

  /** False if the metadata has no such topic. */
  private learn(topic: ProducerTopic): boolean {
    const found = this.client.metadata.topic(topic.name)
    if (!found) return false
    const { length } = found.partitions
    const available: number[] = []
    for (const { partition, leaderId } of found.partitions) if (leaderId >= 0) available.push(partition)
    this.accumulator.topicKnown(topic, length, available)
    return true
  }

  private lost(error: Error, failed: { topic: string; partition?: number; records: number }): void {
    const { logger } = this.client
    if (!this.options.onError)
      return logger.error({ err: error, ...failed }, 'enqueued records were lost; onError would hear of it')
    try {
      this.options.onError(error, failed)
    } catch (cause) {
      logger.error({ err: cause }, "the producer's onError threw")
    }
  }

  private async shutDown(timeoutMs: number): Promise<void> {
    this.sender.close()
    const deadline = new Deadline(this.client.runtime.clock, timeoutMs)
    let timer: Timer | undefined
    const late = new Promise<void>(resolve => {
      timer = this.client.runtime.clock.setTimer(timeoutMs, resolve)
    })
    await Promise.race([this.accumulator.flushes.flush(), late])
    timer?.cancel()
    this.stopListening()
    this.accumulator.close(new ClosedError('the producer'))
    this.sender.stop(batch =>
      batch.attempts === 0
        ? new ClosedError('the producer')
        : new TimeoutError('the last flush of the producer', timeoutMs, {
            outcome: 'unknown',
            hint: 'whether this record was stored is not known',
            cause: batch.lastFailure,
          }),
    )
    for (const topic of this.accumulator.allTopics()) topic.untrack?.()
    // What a hung broker still owes an answer to has failed by now.
    if (this.ownsClient) await this.client.close({ timeoutMs: Math.max(1, Math.min(5_000, deadline.remainingMs)) })
  }
}

const isMany = <T>(input: T | readonly T[]): input is readonly T[] => Array.isArray(input)

/** As Java: on by default, unless another setting that was given rules it out. */
function idempotenceOf({ acks, idempotent, maxInFlightRequests }: ProducerOptions): 'required' | 'preferred' | 'off' {
  if (idempotent !== undefined) return idempotent ? 'required' : 'off'
  return acks === 'all' && maxInFlightRequests <= 5 ? 'preferred' : 'off'
}

/** What a serde of the user's own gave. Throws ERR_SERIALIZATION. */
function written(given: Uint8Array | null, { topic, part }: SerdeContext): Uint8Array | null {
  if (given === null || isBytes(given)) return given
  disown(given)
  throw new KafkaError(
    'ERR_SERIALIZATION',
    `the serde of the ${part} gave ${typeof given === 'string' ? 'a string' : describe(given)} for ${topic}, where a Uint8Array or null is needed, at once and not as a promise`,
  )
}
