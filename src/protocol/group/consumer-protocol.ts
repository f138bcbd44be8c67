/**
 * What consumers of a classic group tell one another through the coordinator, which passes it on unread (KIP-62, KIP-429,
 * KIP-792, KIP-881): each member its subscription inside JoinGroup, the leader everybody's assignment inside SyncGroup.
 * Both begin with an int16 version. A version never removes or moves fields of an earlier one, so a newer one is read as
 * the newest known here and what follows is left alone.
 */
import { array, bytes, type Decoded, type Encodable, int32, message, string, topicName } from '../schema.ts'
import { decodeVersioned, encodeVersioned } from './versioned.ts'

export const ConsumerProtocolSubscription = message({
  name: 'ConsumerProtocolSubscription',
  versions: [0, 3],
  shape: {
    /** Topics the member wants partitions of. */
    topics: array(string),
    /** Free bytes for the assignor: what the sticky ones remember. */
    userData: bytes.nullable().default(null),
    /** Partitions the member holds now, so that a cooperative assignor leaves them where they are (KIP-429). */
    ownedPartitions: array({
      topic: topicName.mapKey(),
      partitions: array(int32),
    })
      .since(1)
      .ignorable(),
    /** Generation in which it came to hold them; -1 unknown. The older of two claims to a partition loses (KIP-792). */
    generationId: int32.since(2).default(-1).ignorable(),
    /** Rack of the member, to be matched with the racks of replicas (KIP-881). */
    rackId: string.since(3).nullable().default(null).ignorable(),
  },
})

export const ConsumerProtocolAssignment = message({
  name: 'ConsumerProtocolAssignment',
  versions: [0, 3],
  shape: {
    /** The partitions that are the member's from now on. */
    assignedPartitions: array({
      topic: topicName.mapKey(),
      partitions: array(int32),
    }),
    /** Free bytes from the assignor of the leader to that of the member. */
    userData: bytes.nullable().default(null),
  },
})

export type Subscription = Decoded<typeof ConsumerProtocolSubscription>
export type Assignment = Decoded<typeof ConsumerProtocolAssignment>

/** A subscription as JoinGroup's `metadata`: int16 version, then the body. */
export const encodeSubscription = (value: Encodable<typeof ConsumerProtocolSubscription>, version = 3): Buffer =>
  encodeVersioned(ConsumerProtocolSubscription, version, value)

/** Reads JoinGroup's `metadata` of a consumer. Throws ProtocolError. */
export const decodeSubscription = (bytes: Uint8Array): Subscription & { readonly version: number } =>
  decodeVersioned(ConsumerProtocolSubscription, bytes)

/** An assignment as SyncGroup's `assignment`: int16 version, then the body. */
export const encodeAssignment = (value: Encodable<typeof ConsumerProtocolAssignment>, version = 3): Buffer =>
  encodeVersioned(ConsumerProtocolAssignment, version, value)

/** Reads SyncGroup's `assignment` of a consumer. Throws ProtocolError, so look first whether there are any bytes at all. */
export const decodeAssignment = (bytes: Uint8Array): Assignment & { readonly version: number } =>
  decodeVersioned(ConsumerProtocolAssignment, bytes)
