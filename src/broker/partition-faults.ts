import { ErrorCode } from '../protocol/error-codes.ts'
import type { Partition } from './topic.ts'

/** The error of a request that only the leader serves, or 0. `epoch` is the leader epoch the client believes in, -1 for none (KIP-320). */
export function leaderFault(partition: Partition | undefined, nodeId: number, epoch: number): number {
  if (!partition) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  return epochFault(partition, epoch) || (partition.leaderId === nodeId ? ErrorCode.NONE : ErrorCode.NOT_LEADER_OR_FOLLOWER)
}

export function epochFault(partition: Partition, epoch: number): number {
  if (epoch < 0 || epoch === partition.leaderEpoch) return ErrorCode.NONE
  return epoch < partition.leaderEpoch ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH
}
