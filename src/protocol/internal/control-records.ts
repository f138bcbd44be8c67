/** Values of control records. Those that end a transaction have an int16 version in front; the others have their own version field alone. */
import { array, brokerId, int16, int32, int64, message, string, struct, uint16, uuid } from '../schema.ts'

const voter = {
  /** Node id of the voter. */
  voterId: int32,
  /** Id of the voter's metadata log directory (KIP-853). */
  voterDirectoryId: uuid.since(1),
}

/** Value of the control record that ends a transaction. */
export const EndTxnMarker = message({
  name: 'EndTxnMarker',
  versions: [0, 0],
  shape: {
    /** Epoch of the transaction coordinator that wrote the marker. */
    coordinatorEpoch: int32,
  },
})

/** Value of the control record that begins a KRaft epoch. */
export const LeaderChangeMessage = message({
  name: 'LeaderChangeMessage',
  versions: [0, 1],
  flexible: 0,
  shape: {
    /** Version of this message, written twice: before it and here. */
    version: int16,
    /** Node id of the new leader. */
    leaderId: brokerId,
    /** Who votes in this epoch. */
    voters: array(voter),
    /** Voters that elected it. */
    grantingVoters: array(voter),
  },
})

/** Value of the control record that begins a KRaft snapshot. */
export const SnapshotHeaderRecord = message({
  name: 'SnapshotHeaderRecord',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** Version of this record. */
    version: int16,
    /** When the last record that the snapshot covers was appended, in milliseconds since the epoch. */
    lastContainedLogTimestamp: int64,
  },
})

/** Value of the control record that ends a KRaft snapshot. */
export const SnapshotFooterRecord = message({
  name: 'SnapshotFooterRecord',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** Version of this record. */
    version: int16,
  },
})

/** Value of the control record that switches the version of KRaft (KIP-853). */
export const KRaftVersionRecord = message({
  name: 'KRaftVersionRecord',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** Version of this record. */
    version: int16,
    /** The version of KRaft that is in force from here on. */
    kRaftVersion: int16,
  },
})

/** Value of the control record that lists the voters (KIP-853). */
export const VotersRecord = message({
  name: 'VotersRecord',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** Version of this record, written twice: before it and here. */
    version: int16,
    /** Who votes in this epoch. */
    voters: array({
      /** Node id of the voter. */
      voterId: brokerId,
      /** Id of the voter's metadata log directory (KIP-853). */
      voterDirectoryId: uuid,
      /** Where the voter can be reached. */
      endpoints: array({
        /** Name of the listener. */
        name: string.mapKey(),
        /** Host name or address. */
        host: string,
        /** TCP port. */
        port: uint16,
      }),
      /** The versions of KRaft that the voter speaks. */
      kRaftVersionFeature: struct({
        /** Lowest of them. */
        minSupportedVersion: int16,
        /** Highest of them. */
        maxSupportedVersion: int16,
      }),
    }),
  },
})
