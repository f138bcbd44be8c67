import { ErrorCode } from '../../protocol/error-codes.ts'
import type { Cluster } from '../cluster.ts'
import type { BrokerNode } from '../node.ts'
import { ClassicGroup } from './classic-group.ts'

/** All groups of the cluster. Which node may be asked about one is `cluster.coordinatorOf`. */
export class Groups {
  private readonly cluster: Cluster
  private readonly byId = new Map<string, ClassicGroup>()

  constructor(cluster: Cluster) {
    this.cluster = cluster
    cluster.onTopicDeleted(topic => {
      for (const group of this.byId.values()) group.offsets.forgetTopic(topic.name)
    })
  }

  /** Why `node` cannot answer about a group, or 0. `needsName`: the group protocol knows no group without a name. */
  fault(groupId: string, node: BrokerNode, needsName: boolean): number {
    if (needsName && groupId === '') return ErrorCode.INVALID_GROUP_ID
    return this.cluster.coordinatorOf('group', groupId) === node ? ErrorCode.NONE : ErrorCode.NOT_COORDINATOR
  }

  get(groupId: string): ClassicGroup | undefined {
    return this.byId.get(groupId)
  }

  getOrCreate(groupId: string): ClassicGroup {
    let group = this.byId.get(groupId)
    if (!group) {
      const { runtime, logger, settings } = this.cluster
      group = new ClassicGroup(groupId, {
        runtime,
        logger,
        limits: {
          initialDelayMs: settings.number('group.initial.rebalance.delay.ms'),
          maxSize: settings.number('group.max.size'),
        },
        newId: () => this.cluster.newJavaUuid(),
      })
      this.byId.set(groupId, group)
    }
    return group
  }

  list(): ClassicGroup[] {
    return [...this.byId.values()]
  }

  delete(groupId: string): void {
    this.byId.get(groupId)?.die()
    this.byId.delete(groupId)
  }

  /** Whoever waits for a group whose coordinator is about to change is told to look for the new one. */
  detach(concerned: (group: ClassicGroup) => boolean): void {
    for (const group of this.byId.values()) if (concerned(group)) group.detach(ErrorCode.NOT_COORDINATOR)
  }

  /** Ends all timers. */
  close(): void {
    for (const id of [...this.byId.keys()]) this.delete(id)
  }
}
