import { anyBroker, api, array, bool, errorCode, int8, int16, int32, producerId, topicName } from '../schema.ts'

export const WriteTxnMarkers = api({
  key: 27,
  name: 'WriteTxnMarkers',
  versions: [0, 2],
  flexible: 1,
  route: anyBroker,
  request: {
    markers: array({
      producerId: producerId,
      producerEpoch: int16,
      transactionResult: bool,
      topics: array({
        name: topicName,
        partitionIndexes: array(int32),
      }),
      coordinatorEpoch: int32,
      transactionVersion: int8.since(2).ignorable(),
    }),
  },
  response: {
    markers: array({
      producerId: producerId,
      topics: array({
        name: topicName,
        partitions: array({
          partitionIndex: int32,
          errorCode: errorCode,
        }),
      }),
    }),
  },
})
