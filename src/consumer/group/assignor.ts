import type { TopicPartition } from '../../client/partition-map.ts'

/** A member of the group, as the leader of a classic group sees it. */
export interface GroupMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly topics: readonly string[]
  /** What it holds now: the cooperative and sticky assignors leave it there. */
  readonly owned: readonly TopicPartition[]
  readonly rack: string | null
  readonly userData: Uint8Array | null
}

/** Spreads the partitions of the subscribed topics over the members; the same input must always give the same output. */
export interface Assignor {
  /** Java's name of it, by which the members of a group agree. */
  readonly name: string
  /** `partitionCounts` lacks the topics that do not exist. Returns the partitions of each member id. */
  assign(members: readonly GroupMember[], partitionCounts: ReadonlyMap<string, number>): Map<string, TopicPartition[]>
}

/** Java's order of members: static ones first, by instance id, then by member id; by UTF-16 code units. */
export function inMemberOrder(members: readonly GroupMember[]): GroupMember[] {
  const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
  return [...members].sort((a, b) => {
    if (a.groupInstanceId !== null && b.groupInstanceId !== null) return compare(a.groupInstanceId, b.groupInstanceId)
    if (a.groupInstanceId !== null) return -1
    if (b.groupInstanceId !== null) return 1
    return compare(a.memberId, b.memberId)
  })
}
