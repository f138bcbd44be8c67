import { ErrorCode } from '../protocol/error-codes.ts'
import type { RequestContext } from './handler.ts'
import type { Partition } from './topic.ts'

/** Collects, for one answer, who leads the partitions that were asked for in the wrong place, and where that node is (KIP-951). */
export class LeaderHints {
  private readonly context: RequestContext
  private readonly nodes = new Map<number, { nodeId: number; host: string; port: number; rack: string | null }>()

  constructor(context: RequestContext) {
    this.context = context
  }

  /** The leader to name beside `errorCode`; undefined where a hint is out of place. */
  of(partition: Partition | undefined, errorCode: number): { leaderId: number; leaderEpoch: number } | undefined {
    if (!partition || (errorCode !== ErrorCode.NOT_LEADER_OR_FOLLOWER && errorCode !== ErrorCode.FENCED_LEADER_EPOCH))
      return undefined
    const { leaderId, leaderEpoch } = partition
    const node = this.context.cluster.nodes.get(leaderId)
    if (node) this.nodes.set(leaderId, node.endpoint)
    return { leaderId, leaderEpoch }
  }

  get endpoints() {
    return [...this.nodes.values()]
  }
}
