/** For every API a request that a broker can answer without harm: what it says matters less than that both sides can read it. */
import * as apis from '../../src/protocol/apis/index.ts'
import { encodeSubscription } from '../../src/protocol/group/index.ts'
import { BatchBuilder } from '../../src/protocol/records/index.ts'
import { type Api, type Encodable, NO_UUID } from '../../src/protocol/schema.ts'

export interface HarmlessRequest {
  readonly api: Api
  /** The request, by version. */
  readonly request: (version: number) => unknown
}

const ask = <A extends Api>(api: A, request: (version: number) => Encodable<A['request']>): HarmlessRequest => ({ api, request })

const NOBODY = 999
const GROUP = 'harmless-group'
const TRANSACTION = 'harmless-transaction'
const MEMBER = 'harmless-member'
const PRODUCER = { producerId: 4_000_000_000n, producerEpoch: 0 }

function oneRecord(): Uint8Array {
  const builder = new BatchBuilder({ codec: 'none' })
  builder.append({ key: null, value: Buffer.from('harmless'), timestamp: 0 })
  const batch = builder.finish({})
  if (batch instanceof Promise) throw new Error('an uncompressed batch is finished at once')
  return batch
}

/** `topic` and `topicId` name a topic with one partition. In an order that keeps what later requests ask about. */
export function harmlessRequests(topic: string, topicId: string, nodeId: number): HarmlessRequest[] {
  const named = (version: number, firstWithId: number) => (version >= firstWithId ? { topicId } : { name: topic })
  const sharePartitions = { groupId: GROUP, topics: [{ topicId, partitions: [{ partition: 0, leaderEpoch: 0 }] }] }
  return [
    ask(apis.ApiVersions, () => ({ clientSoftwareName: 'kafkawire', clientSoftwareVersion: '0' })),
    ask(apis.Metadata, () => ({ topics: [{ name: topic }] })),
    ask(apis.Produce, version => ({
      acks: -1,
      timeoutMs: 5000,
      topicData: [{ ...named(version, 13), partitionData: [{ index: 0, records: oneRecord() }] }],
    })),
    ask(apis.Fetch, version => ({
      maxWaitMs: 0,
      minBytes: 0,
      topics: [
        {
          ...(version >= 13 ? { topicId } : { topic }),
          partitions: [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1000 }],
        },
      ],
      forgottenTopicsData: [],
    })),
    ask(apis.ListOffsets, () => ({
      replicaId: -1,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1n }] }],
    })),
    ask(apis.OffsetCommit, version => ({
      groupId: GROUP,
      topics: [
        { ...named(version, 10), partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: 'harmless' }] },
      ],
    })),
    ask(apis.OffsetFetch, version => {
      const topics = [{ ...named(version, 10), partitionIndexes: [0] }]
      return version >= 8
        ? { groups: [{ groupId: GROUP, topics }] }
        : { groupId: GROUP, topics: [{ name: topic, partitionIndexes: [0] }] }
    }),
    ask(apis.FindCoordinator, version => (version >= 4 ? { keyType: 0, coordinatorKeys: [GROUP] } : { key: GROUP })),
    ask(apis.JoinGroup, version => ({
      groupId: `${GROUP}-${version}`,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 1000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: encodeSubscription({ topics: [topic] }) }],
    })),
    ask(apis.Heartbeat, () => ({ groupId: GROUP, generationId: 1, memberId: MEMBER })),
    ask(apis.LeaveGroup, version =>
      version >= 3 ? { groupId: GROUP, members: [{ memberId: MEMBER }] } : { groupId: GROUP, memberId: MEMBER },
    ),
    ask(apis.SyncGroup, version => ({
      groupId: GROUP,
      generationId: 1,
      memberId: MEMBER,
      assignments: [],
      ...(version >= 5 && { protocolType: 'consumer', protocolName: 'range' }),
    })),
    ask(apis.DescribeGroups, () => ({ groups: [GROUP] })),
    ask(apis.ListGroups, () => ({})),
    ask(apis.SaslHandshake, () => ({ mechanism: 'PLAIN' })),
    ask(apis.SaslAuthenticate, () => ({ authBytes: Buffer.alloc(0) })),
    ask(apis.CreateTopics, version => ({
      topics: [
        {
          name: `${topic}-${version}`,
          numPartitions: 1,
          replicationFactor: 1,
          assignments: [],
          configs: [{ name: 'retention.ms', value: '1000' }],
        },
      ],
      timeoutMs: 5000,
      ...(version >= 1 && { validateOnly: true }),
    })),
    ask(apis.DeleteTopics, version => ({
      ...(version >= 6 ? { topics: [{ name: `${topic}-unknown`, topicId: NO_UUID }] } : { topicNames: [`${topic}-unknown`] }),
      timeoutMs: 5000,
    })),
    ask(apis.DeleteRecords, () => ({
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: 0n }] }],
      timeoutMs: 5000,
    })),
    ask(apis.InitProducerId, () => ({ transactionalId: null, transactionTimeoutMs: 1000 })),
    ask(apis.OffsetForLeaderEpoch, () => ({ topics: [{ topic, partitions: [{ partition: 0, leaderEpoch: 0 }] }] })),
    ask(apis.AddPartitionsToTxn, version =>
      version >= 4
        ? {
            transactions: [
              { transactionalId: TRANSACTION, ...PRODUCER, verifyOnly: true, topics: [{ name: topic, partitions: [0] }] },
            ],
          }
        : {
            v3AndBelowTransactionalId: TRANSACTION,
            v3AndBelowProducerId: PRODUCER.producerId,
            v3AndBelowProducerEpoch: 0,
            v3AndBelowTopics: [{ name: topic, partitions: [0] }],
          },
    ),
    ask(apis.AddOffsetsToTxn, () => ({ transactionalId: TRANSACTION, ...PRODUCER, groupId: GROUP })),
    ask(apis.EndTxn, () => ({ transactionalId: TRANSACTION, ...PRODUCER, committed: false })),
    ask(apis.WriteTxnMarkers, () => ({ markers: [] })),
    ask(apis.TxnOffsetCommit, () => ({
      transactionalId: TRANSACTION,
      groupId: GROUP,
      ...PRODUCER,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: null }] }],
    })),
    ask(apis.DescribeAcls, () => ({
      resourceTypeFilter: 1,
      resourceNameFilter: null,
      patternTypeFilter: 3,
      principalFilter: null,
      hostFilter: null,
      operation: 1,
      permissionType: 1,
    })),
    ask(apis.CreateAcls, () => ({ creations: [] })),
    ask(apis.DeleteAcls, () => ({ filters: [] })),
    ask(apis.DescribeConfigs, version => ({
      resources: [
        { resourceType: 2, resourceName: topic, configurationKeys: null },
        { resourceType: 4, resourceName: String(nodeId), configurationKeys: ['log.dirs'] },
      ],
      ...(version >= 1 && { includeSynonyms: true }),
      ...(version >= 3 && { includeDocumentation: true }),
    })),
    ask(apis.AlterConfigs, () => ({
      resources: [{ resourceType: 2, resourceName: topic, configs: [{ name: 'retention.ms', value: '1000' }] }],
      validateOnly: true,
    })),
    ask(apis.AlterReplicaLogDirs, () => ({ dirs: [{ path: '/nowhere', topics: [{ name: topic, partitions: [0] }] }] })),
    ask(apis.DescribeLogDirs, () => ({ topics: null })),
    ask(apis.CreatePartitions, () => ({
      topics: [{ name: topic, count: 2, assignments: null }],
      timeoutMs: 5000,
      validateOnly: true,
    })),
    ask(apis.CreateDelegationToken, () => ({ renewers: [], maxLifetimeMs: 1000n })),
    ask(apis.RenewDelegationToken, () => ({ hmac: Buffer.from('none'), renewPeriodMs: 1n })),
    ask(apis.ExpireDelegationToken, () => ({ hmac: Buffer.from('none'), expiryTimePeriodMs: 1n })),
    ask(apis.DescribeDelegationToken, () => ({ owners: null })),
    ask(apis.DeleteGroups, () => ({ groupsNames: ['no-such-group'] })),
    ask(apis.ElectLeaders, () => ({ topicPartitions: [{ topic, partitions: [0] }], timeoutMs: 5000 })),
    ask(apis.IncrementalAlterConfigs, () => ({
      resources: [
        { resourceType: 2, resourceName: topic, configs: [{ name: 'retention.ms', configOperation: 0, value: '1000' }] },
      ],
      validateOnly: true,
    })),
    ask(apis.AlterPartitionReassignments, () => ({
      timeoutMs: 5000,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, replicas: null }] }],
    })),
    ask(apis.ListPartitionReassignments, () => ({ timeoutMs: 5000, topics: null })),
    ask(apis.OffsetDelete, () => ({ groupId: GROUP, topics: [{ name: topic, partitions: [{ partitionIndex: 0 }] }] })),
    ask(apis.DescribeClientQuotas, () => ({ components: [], strict: false })),
    ask(apis.AlterClientQuotas, () => ({
      entries: [
        {
          entity: [{ entityType: 'user', entityName: 'nobody' }],
          ops: [{ key: 'producer_byte_rate', value: 1e6, remove: false }],
        },
      ],
      validateOnly: true,
    })),
    ask(apis.DescribeUserScramCredentials, () => ({ users: [{ name: 'nobody' }] })),
    ask(apis.AlterUserScramCredentials, () => ({ deletions: [{ name: 'nobody', mechanism: 1 }], upsertions: [] })),
    ask(apis.DescribeQuorum, () => ({ topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }] })),
    ask(apis.UpdateFeatures, () => ({ featureUpdates: [] })),
    ask(apis.DescribeCluster, () => ({ includeClusterAuthorizedOperations: true })),
    ask(apis.DescribeProducers, () => ({ topics: [{ name: topic, partitionIndexes: [0] }] })),
    ask(apis.UnregisterBroker, () => ({ brokerId: NOBODY })),
    ask(apis.DescribeTransactions, () => ({ transactionalIds: [TRANSACTION] })),
    ask(apis.ListTransactions, () => ({ stateFilters: [], producerIdFilters: [] })),
    ask(apis.ConsumerGroupHeartbeat, () => ({
      groupId: `${GROUP}-848`,
      memberId: MEMBER,
      memberEpoch: 5,
      topicPartitions: null,
    })),
    ask(apis.ConsumerGroupDescribe, () => ({ groupIds: [GROUP], includeAuthorizedOperations: true })),
    ask(apis.GetTelemetrySubscriptions, () => ({ clientInstanceId: NO_UUID })),
    ask(apis.PushTelemetry, () => ({
      clientInstanceId: NO_UUID,
      subscriptionId: 0,
      terminating: false,
      compressionType: 0,
      metrics: Buffer.alloc(0),
    })),
    ask(apis.ListConfigResources, () => ({})),
    ask(apis.DescribeTopicPartitions, () => ({ topics: [{ name: topic }] })),
    ask(apis.ShareGroupHeartbeat, () => ({ groupId: `${GROUP}-share`, memberId: MEMBER, memberEpoch: 5 })),
    ask(apis.ShareGroupDescribe, () => ({ groupIds: [GROUP], includeAuthorizedOperations: true })),
    ask(apis.ShareFetch, () => ({
      groupId: GROUP,
      memberId: NO_UUID,
      shareSessionEpoch: 0,
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 1000,
      maxRecords: 10,
      batchSize: 10,
      topics: [],
      forgottenTopicsData: [],
    })),
    ask(apis.ShareAcknowledge, () => ({ groupId: GROUP, memberId: NO_UUID, shareSessionEpoch: 1, topics: [] })),
    ask(apis.AddRaftVoter, () => ({
      clusterId: 'another',
      timeoutMs: 1000,
      voterId: NOBODY,
      voterDirectoryId: topicId,
      listeners: [{ name: 'CONTROLLER', host: 'nowhere', port: 1 }],
    })),
    ask(apis.RemoveRaftVoter, () => ({ clusterId: 'another', voterId: NOBODY, voterDirectoryId: topicId })),
    ask(apis.InitializeShareGroupState, () => ({
      groupId: GROUP,
      topics: [{ topicId, partitions: [{ partition: 0, stateEpoch: 1, startOffset: 0n }] }],
    })),
    ask(apis.ReadShareGroupState, () => sharePartitions),
    ask(apis.WriteShareGroupState, () => ({
      groupId: GROUP,
      topics: [{ topicId, partitions: [{ partition: 0, stateEpoch: 1, leaderEpoch: 0, startOffset: 0n, stateBatches: [] }] }],
    })),
    ask(apis.ReadShareGroupStateSummary, () => sharePartitions),
    ask(apis.DeleteShareGroupState, () => ({ groupId: GROUP, topics: [{ topicId, partitions: [{ partition: 0 }] }] })),
    ask(apis.StreamsGroupHeartbeat, () => ({
      groupId: `${GROUP}-streams`,
      memberId: MEMBER,
      memberEpoch: 5,
      endpointInformationEpoch: 0,
      shutdownApplication: false,
    })),
    ask(apis.StreamsGroupDescribe, () => ({ groupIds: [GROUP], includeAuthorizedOperations: true })),
    ask(apis.DescribeShareGroupOffsets, () => ({ groups: [{ groupId: GROUP, topics: null }] })),
    ask(apis.AlterShareGroupOffsets, () => ({ groupId: GROUP, topics: [] })),
    ask(apis.DeleteShareGroupOffsets, () => ({ groupId: GROUP, topics: [] })),
    ask(apis.StreamsGroupTopologyDescriptionUpdate, () => ({
      groupId: GROUP,
      memberId: MEMBER,
      topologyEpoch: 0,
      topologyDescription: { subtopologies: [], globalStores: [] },
    })),
    ask(apis.UnregisterController, () => ({ controllerId: NOBODY })),
  ]
}
