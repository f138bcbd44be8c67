/** DescribeCluster. The nodes that are up, and their controller (KIP-700). v1 asks for brokers or controllers (KIP-919): all are brokers. */
import { DescribeCluster } from '../../protocol/apis/60-describe-cluster.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { CLUSTER_OPERATIONS, NOT_ASKED } from '../authorized-operations.ts'
import { handler } from '../handler.ts'

const BROKERS = 1

export const describeCluster = handler(DescribeCluster, ({ includeClusterAuthorizedOperations, endpointType }, { cluster }) => {
  const answer = { throttleTimeMs: 0, endpointType, clusterId: cluster.clusterId, brokers: [] }
  if (endpointType !== BROKERS)
    return { ...answer, errorCode: ErrorCode.MISMATCHED_ENDPOINT_TYPE, errorMessage: 'this is the endpoint of a broker' }
  return {
    ...answer,
    errorCode: ErrorCode.NONE,
    controllerId: cluster.controllerId,
    brokers: cluster
      .liveNodes()
      .map(({ endpoint: { nodeId, host, port, rack } }) => ({ brokerId: nodeId, host, port, rack, isFenced: false })),
    clusterAuthorizedOperations: includeClusterAuthorizedOperations ? CLUSTER_OPERATIONS : NOT_ASKED,
  }
})
