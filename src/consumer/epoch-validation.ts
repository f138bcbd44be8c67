import type { Client } from '../client/client.ts'
import { KafkaError, UnsupportedVersionError } from '../errors.ts'
import { OffsetForLeaderEpoch } from '../protocol/apis/23-offset-for-leader-epoch.ts'
import { brokerError, ErrorCode, errorRow } from '../protocol/error-codes.ts'
import type { PartitionState } from './assignment.ts'
import type { OffsetReset } from './options.ts'

/**
 * After a change of leaders, asks the new one whether its log still holds what was read (KIP-320): an unclean election may
 * have cut it off, and other records may stand at the same offsets by now.
 */
export class EpochValidation {
  private readonly client: Client
  private readonly reset: OffsetReset
  private readonly signal: AbortSignal
  private readonly done: () => void

  constructor(client: Client, reset: OffsetReset, signal: AbortSignal, done: () => void) {
    this.client = client
    this.reset = reset
    this.signal = signal
    this.done = done
  }

  /** Whether nothing may be fetched before the position was checked against this leader. */
  isDue(state: PartitionState, leaderEpoch: number): boolean {
    const epoch = state.position?.leaderEpoch ?? -1
    return epoch >= 0 && leaderEpoch > epoch && state.validatedEpoch < leaderEpoch
  }

  /** Checks partitions of one leader. Never rejects. */
  async check(nodeId: number, states: readonly PartitionState[]): Promise<void> {
    const asked = states.map(state => {
      state.validating = true
      const leaderEpoch = this.client.metadata.leaderOf(state.topic, state.partition)?.leaderEpoch ?? -1
      return { state, version: state.version, epoch: state.position?.leaderEpoch ?? -1, leaderEpoch }
    })
    try {
      const response = await this.client.sendTo(
        nodeId,
        OffsetForLeaderEpoch,
        {
          replicaId: -1,
          topics: [...new Set(asked.map(({ state }) => state.topic))].map(topic => ({
            topic,
            partitions: asked
              .filter(({ state }) => state.topic === topic)
              .map(({ state, epoch, leaderEpoch }) => ({
                partition: state.partition,
                currentLeaderEpoch: leaderEpoch,
                leaderEpoch: epoch,
              })),
          })),
        },
        // Before v3 it takes the rights of a broker.
        { lane: 'other', minVersion: 3, signal: this.signal },
      )
      for (const { state, version, epoch, leaderEpoch } of asked) {
        // Sought or revoked meanwhile.
        if (!state.live || state.version !== version) continue
        const answer = response.topics
          .find(({ topic }) => topic === state.topic)
          ?.partitions.find(({ partition }) => partition === state.partition)
        if (answer?.errorCode === ErrorCode.NONE) this.settle(state, leaderEpoch, answer.endOffset, epoch)
        else this.postpone(state, answer?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      }
    } catch (error) {
      for (const { state, leaderEpoch } of asked) {
        if (error instanceof UnsupportedVersionError) state.validatedEpoch = leaderEpoch
        else {
          state.retryAt = this.client.runtime.clock.monotonic() + this.client.retryBackoffMs(++state.failures)
          if (!(KafkaError.is(error) && error.retriable) && !this.signal.aborted) state.error ??= error as Error
        }
      }
    } finally {
      for (const { state } of asked) state.validating = false
      this.done()
    }
  }

  private settle(state: PartitionState, leaderEpoch: number, endOffset: bigint, epoch: number): void {
    const { topic, partition, position } = state
    // An end of -1 says that the leader remembers no such epoch: nothing is known to be lost.
    if (endOffset < 0n || !position || endOffset >= position.offset) {
      // What was read ahead may be cut off nevertheless.
      if (endOffset >= 0n && endOffset < state.fetchPosition && state.queue.length > 0) state.refetch()
      state.validatedEpoch = leaderEpoch
      return
    }
    if (this.reset === 'none') {
      state.error = new KafkaError(
        'ERR_OFFSET_OUT_OF_RANGE',
        `the log of ${topic}-${partition} was cut off at ${endOffset}, below the position ${position.offset}, and autoOffsetReset is none: seek to where reading should go on`,
      )
      return
    }
    this.client.logger.warn({ topic, partition, position: position.offset, endOffset }, 'the log was cut off below the position')
    state.moveTo({ offset: endOffset, leaderEpoch: epoch })
    state.validatedEpoch = leaderEpoch
  }

  private postpone(state: PartitionState, errorCode: number): void {
    const { topic, partition } = state
    const { retriable, name } = errorRow(errorCode)
    state.retryAt = this.client.runtime.clock.monotonic() + this.client.retryBackoffMs(++state.failures)
    if (!retriable) state.error = brokerError(errorCode, { api: 'OffsetForLeaderEpoch', topic, partition })
    else void this.client.metadata.refresh(`OffsetForLeaderEpoch of ${topic}-${partition}: ${name}`).catch(() => {})
  }
}
