/**
 * FindCoordinator. Names the node that keeps a group (type 0), a transactional id (1, from v1) or a share partition (2, from v6).
 * v4 takes many keys at once. Coordinators are spread by the hash of the key, unless `moveCoordinator` says otherwise.
 */
import { FindCoordinator } from '../../protocol/apis/10-find-coordinator.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import type { Cluster, CoordinatorKind } from '../cluster.ts'
import { handler } from '../handler.ts'

const KINDS: readonly (CoordinatorKind | undefined)[] = ['group', 'transaction', 'share']
const SHARE_SINCE = 6

export const findCoordinator = handler(FindCoordinator, ({ key, keyType, coordinatorKeys }, { cluster, version }) => {
  const kind = version < SHARE_SINCE && keyType === 2 ? undefined : KINDS[keyType]
  if (version >= 4) return { coordinators: coordinatorKeys.map(key => ({ key, ...located(kind, key, cluster) })) }
  return located(kind, key, cluster)
})

function located(kind: CoordinatorKind | undefined, key: string, cluster: Cluster) {
  if (!kind) return { ...nowhere, errorCode: ErrorCode.INVALID_REQUEST, errorMessage: 'unknown type of coordinator' }
  const node = cluster.coordinatorOf(kind, key)
  if (!node) return { ...nowhere, errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, errorMessage: 'no broker is up' }
  const { nodeId, host, port } = node.endpoint
  return { nodeId, host, port, errorCode: ErrorCode.NONE, errorMessage: null }
}

const nowhere = { nodeId: -1, host: '', port: -1 }
