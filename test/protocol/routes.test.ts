import { describe, expect, test } from 'vitest'
import { DescribeConfigs, IncrementalAlterConfigs } from '../../src/protocol/apis/index.ts'
import { allApis } from '../../src/protocol/registry.ts'
import type { Api, Encodable, Route, RoutedPart, Shape, Wire } from '../../src/protocol/schema.ts'

/**
 * Where each API goes: as franz-go sends it (its 21 sharders, its requests to coordinators and to the controller) or, where
 * that leaves it to the caller, as Java's admin client does. A deviation carries its reason.
 */
const DESTINATIONS: Readonly<Record<string, readonly string[]>> = {
  leader: [
    'Produce',
    'Fetch',
    'ListOffsets',
    'DeleteRecords',
    'OffsetForLeaderEpoch',
    'DescribeProducers',
    'ShareFetch',
    'ShareAcknowledge',
  ],
  group: [
    'OffsetCommit',
    'OffsetFetch',
    'JoinGroup',
    'Heartbeat',
    'LeaveGroup',
    'SyncGroup',
    'DescribeGroups',
    'DeleteGroups',
    'OffsetDelete',
    'TxnOffsetCommit',
    'ConsumerGroupHeartbeat',
    'ConsumerGroupDescribe',
    'ShareGroupHeartbeat',
    'ShareGroupDescribe',
    'StreamsGroupHeartbeat',
    'StreamsGroupDescribe',
    'DescribeShareGroupOffsets',
    'AlterShareGroupOffsets',
    'DeleteShareGroupOffsets',
    'StreamsGroupTopologyDescriptionUpdate',
  ],
  transaction: ['InitProducerId', 'AddPartitionsToTxn', 'AddOffsetsToTxn', 'EndTxn', 'DescribeTransactions'],
  eachBroker: ['ListGroups', 'ListTransactions', 'DescribeLogDirs'],
  byContent: ['DescribeConfigs', 'AlterConfigs', 'IncrementalAlterConfigs'],
  controller: [
    'CreateTopics',
    'DeleteTopics',
    'CreatePartitions',
    'ElectLeaders',
    'AlterPartitionReassignments',
    'ListPartitionReassignments',
    'AlterUserScramCredentials',
    'UpdateFeatures',
    'AddRaftVoter',
    'RemoveRaftVoter',
    'UnregisterController',
  ],
  any: [
    'Metadata',
    'FindCoordinator',
    'SaslHandshake',
    'ApiVersions',
    'SaslAuthenticate',
    'DescribeAcls',
    'CreateAcls',
    'DeleteAcls',
    'CreateDelegationToken',
    'RenewDelegationToken',
    'ExpireDelegationToken',
    'DescribeDelegationToken',
    'DescribeClientQuotas',
    'AlterClientQuotas',
    'DescribeUserScramCredentials',
    'DescribeCluster',
    'UnregisterBroker',
    'GetTelemetrySubscriptions',
    'PushTelemetry',
    'ListConfigResources',
    'DescribeTopicPartitions',
    'DescribeQuorum', // franz-go: the controller. Brokers pass it on, and Java asks any.
    'WriteTxnMarkers', // franz-go: the leaders. Its key lies three arrays deep; the one caller there is, abortTransaction, names the leader.
    'AlterReplicaLogDirs', // franz-go: every replica. As in Java the caller names the broker whose replica moves.
    // franz-go: the share coordinator, found by a key made of group, topic id and partition. Brokers alone send these.
    'InitializeShareGroupState',
    'ReadShareGroupState',
    'WriteShareGroupState',
    'DeleteShareGroupState',
    'ReadShareGroupStateSummary',
  ],
}

test('every API goes where the reference clients send it', () => {
  const expected = Object.entries(DESTINATIONS).flatMap(([kind, names]) => names.map(name => `${name}: ${kind}`))
  expect(allApis.map(api => `${api.name}: ${api.route.kind}`).sort()).toEqual(expected.sort())
})

/** What a path such as `topics[].partitions[].index` leads to. */
function at(shape: Shape, path: string): Wire | undefined {
  let wire: Wire = { kind: 'struct', shape }
  for (const step of path.split('.')) {
    if (wire.kind !== 'struct') return undefined
    const inner: Wire | undefined = wire.shape[step.replace('[]', '')]?.wire
    if (!inner) return undefined
    wire = inner
    if (step.endsWith('[]')) {
      if (wire.kind !== 'array') return undefined
      wire = wire.element
    }
  }
  return wire
}
const isArray = (api: Api, results: string) => at(api.response.shape as Shape, results)?.kind === 'array'

test.each(allApis.map(api => [api.name, api] as const))('the paths in the route of %s exist', (_, api) => {
  const { route } = api
  const asked = (path: string) => at(api.request.shape as Shape, path)
  switch (route.kind) {
    case 'leader':
      expect(asked(route.partitions)).toEqual({ kind: 'primitive', primitive: 'int32' })
      expect(isArray(api, route.results)).toBe(true)
      return
    case 'group':
    case 'transaction':
    case 'share':
      for (const key of route.keys) expect(asked(key)).toEqual({ kind: 'primitive', primitive: 'string' })
      // Keys of several coordinators in one request need a place where the answers are joined.
      expect(route.results !== undefined).toBe(route.keys.some(key => key.includes('[]')))
      if (route.results !== undefined) expect(isArray(api, route.results)).toBe(true)
      return
    case 'eachBroker':
    case 'byContent':
      expect(route.results.length).toBeGreaterThan(0)
      for (const results of route.results) expect(isArray(api, results)).toBe(true)
  }
})

describe('configurations', () => {
  const split = <A extends Api>(api: A, request: Encodable<A['request']>): readonly RoutedPart[] =>
    (api.route as Extract<Route, { kind: 'byContent' }>).split(request as never)
  const resource = (resourceType: number, resourceName: string) => ({ resourceType, resourceName, configurationKeys: null })

  test('of a broker and of its loggers go to that broker, all others to any', () => {
    const [topic, broker1, logger1, broker2, defaults] = [
      resource(2, 't'),
      resource(4, '1'),
      resource(8, '1'),
      resource(4, '2'),
      resource(4, ''),
    ]
    expect(split(DescribeConfigs, { resources: [topic, broker1, logger1, broker2, defaults], includeSynonyms: true })).toEqual([
      { to: { kind: 'broker', nodeId: 1 }, request: { resources: [broker1, logger1], includeSynonyms: true } },
      { to: { kind: 'broker', nodeId: 2 }, request: { resources: [broker2], includeSynonyms: true } },
      { to: { kind: 'any' }, request: { resources: [topic, defaults], includeSynonyms: true } },
    ])
  })
  test('go in one part where they can, even when there is none', () => {
    expect(split(DescribeConfigs, { resources: [] })).toEqual([{ to: { kind: 'any' }, request: { resources: [] } }])
    const change = { resourceType: 4, resourceName: '7', configs: [] }
    expect(split(IncrementalAlterConfigs, { resources: [change], validateOnly: false })).toEqual([
      { to: { kind: 'broker', nodeId: 7 }, request: { resources: [change], validateOnly: false } },
    ])
  })
  test('of a broker whose name is no id are left to a broker to refuse', () => {
    expect(split(DescribeConfigs, { resources: [resource(4, 'x')] })[0]!.to).toEqual({ kind: 'any' })
  })
})
