import type { TopicPartition } from '../../client/partition-map.ts'
import { type Assignor, inMemberOrder } from './assignor.ts'

/**
 * Java's RangeAssignor: topic by topic, each member gets a contiguous range of partitions; the first members get one more
 * when they do not divide evenly. Members that subscribe to the same topics get the same numbers of each, so that topics
 * with equal partition counts are co-partitioned.
 */
export const rangeAssignor: Assignor = {
  name: 'range',
  assign(members, partitionCounts) {
    const ordered = inMemberOrder(members)
    const result = new Map<string, TopicPartition[]>(members.map(({ memberId }) => [memberId, []]))
    for (const topic of new Set(ordered.flatMap(({ topics }) => topics))) {
      const count = partitionCounts.get(topic)
      if (!count) continue
      const subscribers = ordered.filter(({ topics }) => topics.includes(topic))
      const each = Math.floor(count / subscribers.length)
      const withOneMore = count % subscribers.length
      let partition = 0
      subscribers.forEach(({ memberId }, place) => {
        const end = partition + each + (place < withOneMore ? 1 : 0)
        for (; partition < end; partition++) result.get(memberId)?.push({ topic, partition })
      })
    }
    return result
  },
}
