/** What a producer or a broker sets in a batch that is already written. */
import { crc32c } from './crc32c.ts'
import * as at from './layout.ts'

const viewOf = (batch: Uint8Array): DataView => new DataView(batch.buffer, batch.byteOffset, batch.byteLength)

/** The offset of the first record, given by the leader. Not covered by the checksum. */
export function setBaseOffset(batch: Uint8Array, baseOffset: bigint): void {
  viewOf(batch).setBigInt64(0, baseOffset)
}

/** The epoch under which the leader took the batch. Not covered by the checksum. */
export function setLeaderEpoch(batch: Uint8Array, leaderEpoch: number): void {
  viewOf(batch).setInt32(at.LEADER_EPOCH, leaderEpoch)
}

/** Replaces the timestamps of all records by the time of arrival (`message.timestamp.type=LogAppendTime`). */
export function setLogAppendTime(batch: Uint8Array, timeMs: bigint): void {
  const view = viewOf(batch)
  view.setInt16(at.ATTRIBUTES, view.getInt16(at.ATTRIBUTES) | at.LOG_APPEND_TIME)
  view.setBigInt64(at.MAX_TIMESTAMP, timeMs)
  view.setUint32(at.CRC, crc32c(batch, at.ATTRIBUTES))
}

/** Producer id, epoch and sequence of a batch that is sent again after its producer's epoch was raised (KIP-360). */
export function setProducer(
  batch: Uint8Array,
  producer: { producerId: bigint; producerEpoch: number; baseSequence: number },
): void {
  const view = viewOf(batch)
  view.setBigInt64(at.PRODUCER_ID, producer.producerId)
  view.setInt16(at.PRODUCER_EPOCH, producer.producerEpoch)
  view.setInt32(at.BASE_SEQUENCE, producer.baseSequence)
  view.setUint32(at.CRC, crc32c(batch, at.ATTRIBUTES))
}
