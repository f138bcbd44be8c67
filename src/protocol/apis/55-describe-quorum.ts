import { anyBroker, api, array, brokerId, errorCode, int32, int64, string, topicName, uint16, uuid } from '../schema.ts'

const replicaState = {
  /** Id of the node. */
  replicaId: brokerId,
  /** Id of its log directory. */
  replicaDirectoryId: uuid.since(2),
  /** Log end offset of the replica as the leader last heard of it: that of the next record it will append; -1 for unknown. */
  logEndOffset: int64,
  /** When it last fetched, in milliseconds since the epoch; -1 for unknown. */
  lastFetchTimestamp: int64.since(1).default(-1n).ignorable(),
  /** When it last had everything, in milliseconds since the epoch; -1 for unknown. */
  lastCaughtUpTimestamp: int64.since(1).default(-1n).ignorable(),
}

/** Describes the KRaft quorum (KIP-595). */
export const DescribeQuorum = api({
  key: 55,
  name: 'DescribeQuorum',
  versions: [0, 2],
  flexible: 0,
  route: anyBroker,
  request: {
    /** Metadata topics: just __cluster_metadata. */
    topics: array({
      /** Name of the topic. */
      topicName,
      /** Partitions to describe: just 0. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32,
      }),
    }),
  },
  response: {
    /** Error code; 0 is success. */
    errorCode,
    /** The broker's own text about the error; null when there is none. */
    errorMessage: string.since(2).nullable().ignorable(),
    /** The quorum, by topic. */
    topics: array({
      /** Name of the topic. */
      topicName,
      /** The quorum, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32,
        /** Error code; 0 is success. */
        errorCode,
        /** The broker's own text about the error; null when there is none. */
        errorMessage: string.since(2).nullable().ignorable(),
        /** Broker that leads the partition; -1 when nobody does or it is not known. */
        leaderId: brokerId,
        /** Term of the partition's leader; it grows by one at each election. -1 for unknown. */
        leaderEpoch: int32,
        /** One past the last offset that all in-sync replicas have: consumers read up to it. */
        highWatermark: int64,
        /** Nodes that vote, and how far each has come. */
        currentVoters: array(replicaState),
        /** Nodes that follow without a vote, and how far each has come. */
        observers: array(replicaState),
      }),
    }),
    /** Addresses of the nodes. */
    nodes: array({
      /** Id of the broker. */
      nodeId: brokerId.mapKey(),
      /** Addresses at which it can be reached. */
      listeners: array({
        /** Name of the listener. */
        name: string.mapKey(),
        /** Host name or address to connect to. */
        host: string,
        /** TCP port to connect to. */
        port: uint16,
      }),
    }).since(2),
  },
})
