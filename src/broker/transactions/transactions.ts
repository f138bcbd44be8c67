import { KafkaError } from '../../errors.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import type { Timer } from '../../runtime/runtime.ts'
import { appendMarker } from '../append.ts'
import type { Cluster } from '../cluster.ts'
import type { BrokerNode } from '../node.ts'
import type { Partition } from '../topic.ts'

/** Markers are written at once, since all logs are at hand: Kafka's PrepareCommit and PrepareAbort take no time here. */
export type TransactionState = 'Empty' | 'Ongoing' | 'CompleteCommit' | 'CompleteAbort'

const transitions: Readonly<Record<TransactionState, readonly TransactionState[]>> = {
  Empty: ['Ongoing'],
  Ongoing: ['CompleteCommit', 'CompleteAbort'],
  CompleteCommit: ['Ongoing', 'Empty'],
  CompleteAbort: ['Ongoing', 'Empty'],
}

export interface ProducerIdentity {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** One transactional id. */
export class Transaction {
  readonly id: string
  state: TransactionState = 'Empty'
  producerId: bigint
  producerEpoch: number
  /** What the producer held before its last epoch was raised: a request repeated with it is not a zombie's (KIP-360). */
  previous: ProducerIdentity | undefined
  timeoutMs: number
  startedAtMs = -1
  readonly partitions = new Set<Partition>()
  readonly groups = new Set<string>()
  timer: Timer | undefined

  constructor(id: string, { producerId, producerEpoch }: ProducerIdentity, timeoutMs: number) {
    this.id = id
    this.producerId = producerId
    this.producerEpoch = producerEpoch
    this.timeoutMs = timeoutMs
  }

  to(state: TransactionState): void {
    if (state === this.state) return
    if (!transitions[this.state].includes(state))
      throw new KafkaError(
        'ERR_ILLEGAL_STATE',
        `transaction ${this.id} cannot go from ${this.state} to ${state}: this is a bug, please report it`,
      )
    this.state = state
  }
}

/** An epoch is 16 bits long; the last one is never given out. */
const LAST_EPOCH = 0x7fff - 1
const COORDINATOR_EPOCH = 0

export type Ended = { readonly errorCode: number } & ProducerIdentity
const nobody: ProducerIdentity = { producerId: -1n, producerEpoch: -1 }

/** The transaction coordinators of the cluster (KIP-98, KIP-360, KIP-890). Which node may be asked is `cluster.coordinatorOf`. */
export class Transactions {
  private readonly cluster: Cluster
  private readonly byId = new Map<string, Transaction>()

  constructor(cluster: Cluster) {
    this.cluster = cluster
    cluster.onTopicDeleted(topic => {
      for (const { partitions } of this.byId.values()) for (const partition of topic.partitions) partitions.delete(partition)
    })
  }

  fault(transactionalId: string, node: BrokerNode): number {
    if (transactionalId === '') return ErrorCode.INVALID_REQUEST
    return this.cluster.coordinatorOf('transaction', transactionalId) === node ? ErrorCode.NONE : ErrorCode.NOT_COORDINATOR
  }

  get(transactionalId: string): Transaction | undefined {
    return this.byId.get(transactionalId)
  }

  list(): Transaction[] {
    return [...this.byId.values()]
  }

  /** Gives a transactional id its next epoch, which fences whoever had the one before. An open transaction is aborted first. */
  init(transactionalId: string, timeoutMs: number, claimed: ProducerIdentity | undefined): Ended {
    const known = this.byId.get(transactionalId)
    if (!known) {
      const transaction = new Transaction(
        transactionalId,
        { producerId: this.cluster.newProducerId(), producerEpoch: 0 },
        timeoutMs,
      )
      this.byId.set(transactionalId, transaction)
      return identity(transaction)
    }
    if (claimed && claimed.producerId !== known.producerId && claimed.producerId !== known.previous?.producerId)
      return refused(ErrorCode.PRODUCER_FENCED)
    if (known.state === 'Ongoing') {
      // The epoch of this abort is told to nobody: the producer comes back and gets the next one.
      this.bump(known)
      this.end(known, false)
      return refused(ErrorCode.CONCURRENT_TRANSACTIONS)
    }
    if (claimed && claimed.producerEpoch !== known.producerEpoch) {
      // Repeated, because the answer was lost.
      if (same(claimed, known.previous)) return identity(known)
      return refused(ErrorCode.PRODUCER_FENCED)
    }
    const before = { producerId: known.producerId, producerEpoch: known.producerEpoch }
    this.bump(known)
    known.previous = claimed ? before : undefined
    known.timeoutMs = timeoutMs
    known.to('Empty')
    return identity(known)
  }

  /** Takes partitions and groups into the transaction, beginning it if need be. */
  add(
    transactionalId: string,
    claimed: ProducerIdentity,
    { partitions = [], groups = [] }: { partitions?: readonly Partition[]; groups?: readonly string[] },
  ): number {
    const transaction = this.byId.get(transactionalId)
    const fault = claimFault(transaction, claimed)
    if (!transaction || fault !== ErrorCode.NONE) return fault
    if (transaction.state !== 'Ongoing') {
      transaction.to('Ongoing')
      transaction.startedAtMs = this.cluster.runtime.clock.now()
      transaction.timer = this.cluster.runtime.clock.setTimer(transaction.timeoutMs, () => this.expire(transaction))
    }
    for (const partition of partitions) transaction.partitions.add(partition)
    for (const group of groups) transaction.groups.add(group)
    return ErrorCode.NONE
  }

  /** Whether a producer may write to a partition, or commit to a group, as part of its transaction. */
  includes(transactionalId: string, claimed: ProducerIdentity, part: Partition | string): boolean {
    const transaction = this.byId.get(transactionalId)
    if (transaction?.state !== 'Ongoing' || claimFault(transaction, claimed) !== ErrorCode.NONE) return false
    return typeof part === 'string' ? transaction.groups.has(part) : transaction.partitions.has(part)
  }

  /** Commits or aborts. With `bumps` (EndTxn from v5 on) each end raises the epoch, so that nothing late can join the next one (KIP-890). */
  finish(transactionalId: string, claimed: ProducerIdentity, commit: boolean, bumps: boolean): Ended {
    const transaction = this.byId.get(transactionalId)
    if (!transaction) return refused(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
    const done = commit ? 'CompleteCommit' : 'CompleteAbort'
    if (bumps && same(claimed, transaction.previous) && transaction.state === done) return identity(transaction)
    const fault = claimFault(transaction, claimed)
    if (fault !== ErrorCode.NONE) return refused(fault)
    if (transaction.state === 'Ongoing') {
      if (bumps) this.bump(transaction)
      if (bumps) transaction.previous = claimed
      this.end(transaction, commit, bumps ? claimed.producerId : undefined)
      return identity(transaction)
    }
    if (!bumps && transaction.state === done) return identity(transaction)
    // A producer that aborts without having written gets its new epoch all the same.
    if (!bumps || commit) return refused(ErrorCode.INVALID_TXN_STATE)
    this.bump(transaction)
    transaction.previous = claimed
    if (transaction.state === 'Empty') transaction.to('Ongoing')
    if (transaction.state === 'CompleteCommit') transaction.to('Ongoing')
    transaction.to('CompleteAbort')
    return identity(transaction)
  }

  /** Ends all timers. */
  close(): void {
    for (const { timer } of this.byId.values()) timer?.cancel()
  }

  private expire(transaction: Transaction): void {
    if (transaction.state !== 'Ongoing') return
    this.cluster.logger.info({ transactionalId: transaction.id }, 'a transaction timed out and is aborted')
    this.bump(transaction)
    this.end(transaction, false)
  }

  private bump(transaction: Transaction): void {
    transaction.previous = undefined
    if (transaction.producerEpoch < LAST_EPOCH) transaction.producerEpoch++
    else {
      transaction.producerId = this.cluster.newProducerId()
      transaction.producerEpoch = 0
    }
  }

  /** Writes the markers and settles the offsets. `writer` is the id that wrote, where the epochs of it ran out meanwhile. */
  private end(transaction: Transaction, commit: boolean, writer = transaction.producerId): void {
    transaction.timer?.cancel()
    const producer =
      writer === transaction.producerId ? identity(transaction) : { producerId: writer, producerEpoch: LAST_EPOCH + 1 }
    for (const partition of transaction.partitions) appendMarker(this.cluster, partition, producer, commit, COORDINATOR_EPOCH)
    for (const group of transaction.groups) this.cluster.groups.get(group)?.offsets.settle(writer, commit)
    const logs = [...transaction.partitions].map(({ log }) => log)
    transaction.partitions.clear()
    transaction.groups.clear()
    transaction.to(commit ? 'CompleteCommit' : 'CompleteAbort')
    for (const log of logs) log.changed()
  }
}

function claimFault(transaction: Transaction | undefined, { producerId, producerEpoch }: ProducerIdentity): number {
  if (!transaction || transaction.producerId !== producerId) return ErrorCode.INVALID_PRODUCER_ID_MAPPING
  return transaction.producerEpoch === producerEpoch ? ErrorCode.NONE : ErrorCode.PRODUCER_FENCED
}

const same = (a: ProducerIdentity, b: ProducerIdentity | undefined): boolean =>
  b !== undefined && a.producerId === b.producerId && a.producerEpoch === b.producerEpoch

const identity = ({ producerId, producerEpoch }: ProducerIdentity): Ended => ({
  errorCode: ErrorCode.NONE,
  producerId,
  producerEpoch,
})
const refused = (errorCode: number): Ended => ({ errorCode, ...nobody })
