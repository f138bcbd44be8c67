import type { Partial as PartialBatch, PartitionState } from './assignment.ts'
import type { ConsumerBatch } from './batch.ts'
import type { Delivery } from './delivery.ts'
import type { ConsumerRecord } from './record.ts'

/**
 * One record after the other. While the batch at hand lasts and there is no news, a step costs one record and one promise;
 * the cursors follow from where the iterator stands.
 */
export class RecordIterator<K, V> implements AsyncIterableIterator<ConsumerRecord<K, V>> {
  private readonly delivery: Delivery<K, V>
  private state: PartitionState | undefined
  private version = 0
  private batch: ConsumerBatch<K, V> | undefined
  private place: PartialBatch | undefined
  private ended = false

  constructor(delivery: Delivery<K, V>) {
    this.delivery = delivery
  }

  next(): Promise<IteratorResult<ConsumerRecord<K, V>>> {
    const { place, state } = this
    if (place && state && place.inHand && !this.delivery.mustTurn && state.version === this.version && !state.paused) {
      const record = this.step(place)
      if (record) return Promise.resolve({ done: false, value: record })
    }
    return this.slowly()
  }

  async return(): Promise<IteratorResult<ConsumerRecord<K, V>>> {
    this.ended = true
    this.putBack()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Leaves the rest of the batch to whoever reads next; the record in the user's hands is done when he does. */
  putBack(): void {
    const { place, state, batch } = this
    this.place = this.state = this.batch = undefined
    if (!place || !state || !batch || state.version !== this.version || state.partial !== place) return
    const { position } = state
    if (state.putBack(place, batch.highWatermark) && position) this.delivery.addOutstanding(state, position)
  }

  private async slowly(): Promise<IteratorResult<ConsumerRecord<K, V>>> {
    if (this.ended || this.delivery.isClosed) return { done: true, value: undefined }
    this.delivery.adopt(this)
    // Asking for the next record says that the last one is done.
    if (this.place) this.place.inHand = false
    const next = await this.delivery.nextRecord(this)
    return next ? { done: false, value: next } : { done: true, value: undefined }
  }

  /** The next record of the batch at hand, if it is still the one to hand out. */
  resume(): ConsumerRecord<K, V> | undefined {
    const { place, state } = this
    if (!place || !state) return undefined
    if (state.live && state.version === this.version && !state.paused) {
      const record = this.step(place)
      if (record) {
        place.inHand = true
        return record
      }
      const end = { offset: place.nextOffset, leaderEpoch: this.batch?.leaderEpoch ?? -1 }
      state.partial = undefined
      state.advance(end)
      state.finish(end)
      this.place = undefined
    } else this.putBack()
    return undefined
  }

  /** Begins with a new batch. */
  begin(batch: ConsumerBatch<K, V>, state: PartitionState): ConsumerRecord<K, V> {
    const segments = batch.segments
    this.batch = batch
    this.state = state
    this.version = state.version
    this.place = { segments, segment: 0, index: segments[0]!.from + 1, inHand: true, nextOffset: batch.nextOffset }
    state.partial = this.place
    return batch.recordAt(segments[0]!.records, segments[0]!.from)
  }

  private step(place: PartialBatch): ConsumerRecord<K, V> | undefined {
    let segment = place.segments[place.segment]!
    if (place.index >= segment.to) {
      const following = place.segments[place.segment + 1]
      if (!following) return undefined
      segment = following
      place.segment++
      place.index = segment.from
    }
    return this.batch?.recordAt(segment.records, place.index++)
  }
}
