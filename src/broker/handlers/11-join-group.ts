/**
 * JoinGroup. Answered once the whole group has joined. v1 brought a rebalance timeout of its own, v4 MEMBER_ID_REQUIRED for
 * newcomers (KIP-394), v5 static members (KIP-345), v7 the protocol type in the answer (KIP-559), v9 skipAssignment (KIP-814).
 */
import { JoinGroup } from '../../protocol/apis/11-join-group.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { joinError } from '../groups/classic-group.ts'
import type { JoinAnswer } from '../groups/member.ts'
import { handler } from '../handler.ts'

const KNOWN_ID_SINCE = 4
const NULL_PROTOCOL_SINCE = 7
const SKIP_SINCE = 9

export const joinGroup = handler(JoinGroup, (request, { cluster, node, version, clientId, connection }) => {
  const { groupId, memberId, sessionTimeoutMs, protocolType } = request
  const encodable = (answer: JoinAnswer) => ({
    ...answer,
    protocolName: answer.protocolName ?? (version >= NULL_PROTOCOL_SINCE ? null : ''),
    ...(version < SKIP_SINCE && { skipAssignment: false }),
    // Older answers know no static members; encoding refuses to drop an instance id silently only where it would matter.
    members: answer.members.map(member => (version >= 5 ? member : { ...member, groupInstanceId: null })),
  })
  const refuse = (errorCode: number) => encodable(joinError(errorCode, memberId))
  const fault = cluster.groups.fault(groupId, node, true)
  if (fault !== ErrorCode.NONE) return refuse(fault)
  const { settings } = cluster
  if (
    sessionTimeoutMs < settings.number('group.min.session.timeout.ms') ||
    sessionTimeoutMs > settings.number('group.max.session.timeout.ms')
  )
    return refuse(ErrorCode.INVALID_SESSION_TIMEOUT)
  if (memberId !== '' && !cluster.groups.get(groupId)) return refuse(ErrorCode.UNKNOWN_MEMBER_ID)
  return new Promise(resolve =>
    cluster.groups.getOrCreate(groupId).join(
      {
        memberId,
        instanceId: request.groupInstanceId,
        clientId: clientId ?? '',
        clientHost: `/${connection.transport.remote.host}`,
        terms: {
          sessionTimeoutMs,
          rebalanceTimeoutMs: request.rebalanceTimeoutMs < 0 ? sessionTimeoutMs : request.rebalanceTimeoutMs,
          protocolType,
          protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
        },
        needsKnownId: version >= KNOWN_ID_SINCE,
        canSkipAssignment: version >= SKIP_SINCE,
      },
      answer => resolve(encodable(answer)),
    ),
  )
})
