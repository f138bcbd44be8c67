import { api, array, bool, eachBroker, errorCode, int32, int64, string, throttleTimeMs, topicName } from '../schema.ts'

export const DescribeLogDirs = api({
  key: 35,
  name: 'DescribeLogDirs',
  versions: [0, 5],
  flexible: 2,
  route: eachBroker('results'),
  clientThrottlesSince: 1,
  request: {
    topics: array({
      topic: topicName.mapKey(),
      partitions: array(int32),
    }).nullable(),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    errorCode: errorCode.since(3).ignorable(),
    results: array({
      errorCode: errorCode,
      logDir: string,
      topics: array({
        name: topicName,
        partitions: array({
          partitionIndex: int32,
          partitionSize: int64,
          offsetLag: int64,
          isFutureKey: bool,
        }),
      }),
      totalBytes: int64.since(4).default(-1n).ignorable(),
      usableBytes: int64.since(4).default(-1n).ignorable(),
      isCordoned: bool.since(5).ignorable(),
    }),
  },
})
