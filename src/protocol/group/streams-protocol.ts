/**
 * What Kafka Streams instances of a classic group tell one another, inside the `userData` of the consumer protocol. Both
 * messages begin with their int32 version, which is one of their fields. (Groups of KIP-1071 leave all that to the broker.)
 */
import { ProtocolError } from '../../errors.ts'
import { decodeMessage, encodeMessage } from '../frame.ts'
import {
  array,
  bytes,
  type Decoded,
  type Encodable,
  int8,
  int32,
  int64,
  type Message,
  message,
  string,
  uint16,
  uuid,
} from '../schema.ts'

const taskId = {
  /** Number of the subtopology. */
  topicGroupId: int32,
  /** Partition number. */
  partition: int32,
}

/** What an instance says of itself. */
export const StreamsSubscriptionInfo = message({
  name: 'SubscriptionInfoData',
  versions: [1, 11],
  shape: {
    /** Version of this message. */
    version: int32,
    /** Highest version that the instance could speak. */
    latestSupportedVersion: int32.since(3).default(-1),
    /** Id of the process. */
    processId: uuid,
    /** Active tasks that it had. */
    prevTasks: array(taskId).until(6),
    /** Standby tasks that it had. */
    standbyTasks: array(taskId).until(6),
    /** Where interactive queries reach it, `host:port`; empty for nowhere. */
    userEndPoint: bytes.since(2),
    /** How far it has restored each task. */
    taskOffsetSums: array({
      /** Number of the subtopology. */
      topicGroupId: int32,
      /** Partition number. */
      partition: int32.since(10),
      /** Sum of the offsets of the task's changelogs; -2 for a running task. */
      offsetSum: int64.since(10),
      /** Name of the topology that the task belongs to; null for the only one. */
      namedTopology: string.since(10).nullable(),
      /** The same for each partition. */
      partitionToOffsetSum: array({
        /** Partition number. */
        partition: int32,
        /** Sum of the offsets of the task's changelogs; -2 for a running task. */
        offsetSum: int64,
      }).until(9),
    }).since(7),
    /** Changes from one subscription to the next, so that the coordinator sees a difference. */
    uniqueField: int8.since(8),
    /** 0, or why the instance asks for a new assignment. */
    errorCode: int32.since(9),
    /** Tags by which standby tasks are spread (KIP-708). */
    clientTags: array({
      /** The key. */
      key: bytes,
      /** The value. */
      value: bytes,
    }).since(11),
  },
})

const assignedTask = {
  ...taskId,
  /** UTF-16 units of the name of the topology that the task belongs to; none for the only one. */
  namedTopology: array(uint16).since(10),
}
const topicPartition = {
  /** Name of the topic. */
  topic: string,
  /** Partition number. */
  partition: int32,
}
const hostPartitions = {
  /** Host of the instance. */
  host: string,
  /** Its port. */
  port: int32,
  /** Partitions, their topics by number. */
  partitions: array({
    /** Number of the topic in `topics`. */
    topic: int32,
    /** Partition number. */
    partition: int32,
  }),
}

/** What the leader assigns to a member. */
export const StreamsAssignmentInfo = message({
  name: 'StreamsAssignmentInfo',
  versions: [1, 11],
  shape: {
    /** Version of this message. */
    version: int32,
    /** Highest version that all members speak. */
    commonlySupportedVersion: int32.since(3).default(-1).ignorable(),
    /** Active tasks, in the order of the partitions assigned. */
    activeTasks: array(assignedTask),
    /** Standby tasks. */
    standbyTasks: array({
      ...assignedTask,
      /** The task's changelog partitions. */
      partitions: array(topicPartition),
    }),
    /** Where each partition is active, before topics had numbers. */
    partitionsByHostOfNames: array({
      /** Host of the instance. */
      host: string,
      /** Its port. */
      port: int32,
      /** Partitions. */
      partitions: array(topicPartition),
    })
      .since(2)
      .until(4)
      .ignorable(),
    /** Numbers that stand for topics below. */
    topics: array({
      /** The number. */
      index: int32,
      /** The topic. */
      topic: string,
    }).since(5),
    /** Where each partition is active. */
    partitionsByHost: array(hostPartitions).since(5),
    /** Where each partition is on standby. */
    standbyPartitionsByHost: array(hostPartitions).since(6),
    /** 0, or why the member has to shut down. */
    errorCode: int32.since(4).ignorable(),
    /** When the member is to ask for another rebalance, in milliseconds since the epoch. */
    nextRebalanceMs: int64.since(7).default(0x7fffffffffffffffn).ignorable(),
  },
})

/** An instance's subscription as the `userData` of its consumer subscription. `version` says which one. */
export const encodeStreamsSubscription = (value: Encodable<typeof StreamsSubscriptionInfo>): Buffer =>
  encodeMessage(StreamsSubscriptionInfo, value.version, value)
/** Reads the `userData` of an instance's subscription. Throws ProtocolError. */
export const decodeStreamsSubscription = (bytes: Uint8Array): Decoded<typeof StreamsSubscriptionInfo> =>
  decode(StreamsSubscriptionInfo, bytes)
/** A member's assignment as the `userData` of its consumer assignment. `version` says which one. */
export const encodeStreamsAssignment = (value: Encodable<typeof StreamsAssignmentInfo>): Buffer =>
  encodeMessage(StreamsAssignmentInfo, value.version, value)
/** Reads the `userData` of a member's assignment. Throws ProtocolError. */
export const decodeStreamsAssignment = (bytes: Uint8Array): Decoded<typeof StreamsAssignmentInfo> =>
  decode(StreamsAssignmentInfo, bytes)

function decode<M extends Message>(message: M, bytes: Uint8Array): Decoded<M> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = buffer.length < 4 ? -1 : buffer.readInt32BE(0)
  const [min, max] = message.versions
  if (version < min || version > max) {
    throw new ProtocolError(`${message.name} v${version} is not known, ${min} to ${max} are: run the same release everywhere`, {
      api: message.name,
      version,
      path: 'version',
      offset: 0,
    })
  }
  return decodeMessage(message, version, buffer).value
}
