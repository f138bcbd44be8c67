import { anyBroker, api, array, bool, errorCode, int8, int16, int32, producerId, topicName } from '../schema.ts'

/** Writes the markers that end a transaction: sent by coordinators, and by an admin to end a hanging one. Meant for the partitions' leader: name it (`nodeId`). */
export const WriteTxnMarkers = api({
  key: 27,
  name: 'WriteTxnMarkers',
  versions: [0, 2],
  flexible: 1,
  route: anyBroker,
  request: {
    /** One marker for each transaction that ends: producer, outcome and the partitions to write it to. */
    markers: array({
      /** Id that the producer got from InitProducerId. */
      producerId,
      /** Incarnation of that producer id: an older epoch is fenced. */
      producerEpoch: int16,
      /** True for commit, false for abort. */
      transactionResult: bool,
      /** Where to write them. */
      topics: array({
        /** Name of the topic. */
        name: topicName,
        /** Partition numbers. */
        partitionIndexes: array(int32),
      }),
      /** Epoch of the transaction coordinator that wrote the marker. */
      coordinatorEpoch: int32,
      /** Level of the transaction.version feature that the marker is written under. */
      transactionVersion: int8.since(2).ignorable(),
    }),
  },
  response: {
    /** What became of each marker. */
    markers: array({
      /** Id that the producer got from InitProducerId. */
      producerId,
      /** What became of it, by topic. */
      topics: array({
        /** Name of the topic. */
        name: topicName,
        /** What became of it, by partition. */
        partitions: array({
          /** Partition number, from 0. */
          partitionIndex: int32,
          /** Error code; 0 is success. */
          errorCode,
        }),
      }),
    }),
  },
})
