/** `__share_group_state`: how far share groups have got (KIP-932). */
import { array, int8, int16, int32, int64, message, string, uuid } from '../schema.ts'

/** State of one partition of a share group (record type 0). */
export const ShareSnapshotKey = message({
  name: 'ShareSnapshotKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    groupId: string,
    /** Id of the topic. */
    topicId: uuid,
    /** Partition number. */
    partition: int32,
  },
})

/** The whole state. */
export const ShareSnapshotValue = message({
  name: 'ShareSnapshotValue',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** Grows with each snapshot; updates belong to the snapshot of their epoch. */
    snapshotEpoch: int32,
    /** Epoch of the share state. */
    stateEpoch: int32,
    /** Leader epoch of the partition. */
    leaderEpoch: int32,
    /** First offset that is not yet done with. */
    startOffset: int64,
    /** How many records from there on are done with; -1 unknown. */
    deliveryCompleteCount: int32.default(-1).tag(0),
    /** When the state was made, in milliseconds since the epoch. */
    createTimestamp: int64,
    /** When it was last written, in milliseconds since the epoch. */
    writeTimestamp: int64,
    /** Ranges of records and what became of them. */
    stateBatches: array({
      /** First offset of the range. */
      firstOffset: int64,
      /** Last offset of the range, inclusive. */
      lastOffset: int64,
      /** 0 available, 2 acknowledged, 4 archived. */
      deliveryState: int8,
      /** How often it was handed out. */
      deliveryCount: int16,
    }),
  },
})

/** A change of that state (record type 1). */
export const ShareUpdateKey = message({
  name: 'ShareUpdateKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    groupId: string,
    /** Id of the topic. */
    topicId: uuid,
    /** Partition number. */
    partition: int32,
  },
})

/** What changed since the snapshot. */
export const ShareUpdateValue = message({
  name: 'ShareUpdateValue',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** Grows with each snapshot; updates belong to the snapshot of their epoch. */
    snapshotEpoch: int32,
    /** Leader epoch of the partition; -1 unchanged. */
    leaderEpoch: int32,
    /** First offset that is not yet done with; -1 unchanged. */
    startOffset: int64,
    /** How many records from there on are done with; -1 unknown. */
    deliveryCompleteCount: int32.default(-1).tag(0),
    /** Ranges of records and what became of them. */
    stateBatches: array({
      /** First offset of the range. */
      firstOffset: int64,
      /** Last offset of the range, inclusive. */
      lastOffset: int64,
      /** 0 available, 2 acknowledged, 4 archived. */
      deliveryState: int8,
      /** How often it was handed out. */
      deliveryCount: int16,
    }),
  },
})
