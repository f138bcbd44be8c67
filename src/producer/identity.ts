/** Who a producer is to the brokers (KIP-98): with a sequence number per partition they drop what arrives twice. */
export interface ProducerIdentity {
  readonly producerId: bigint
  readonly epoch: number
}

const LAST_EPOCH = 0x7ffe
const SEQUENCES = 2 ** 31

/** The sequence number after `count` records: they wrap at 2^31 - 1. */
export const sequenceAfter = (sequence: number, count: number): number => (sequence + count) % SEQUENCES

/**
 * The identity of one producer. It changes as a whole: partitions that still have unanswered batches of the former
 * one keep it until those are settled, as the broker tracks epochs per partition.
 */
export class Identities {
  private identity: ProducerIdentity | undefined

  /** Undefined until a broker gave one, and again when all its epochs are used up. */
  get current(): ProducerIdentity | undefined {
    return this.identity
  }

  assigned(identity: ProducerIdentity): void {
    this.identity = identity
  }

  /**
   * Leaves `from` behind because its sequences cannot be continued on some partition (KIP-360): the next epoch of a
   * producer without transactions needs no broker's consent. Nothing happens where another partition left it already.
   */
  leave(from: ProducerIdentity, options: { keepId: boolean }): void {
    const { identity } = this
    if (!identity || identity.producerId !== from.producerId || identity.epoch !== from.epoch) return
    this.identity =
      options.keepId && identity.epoch < LAST_EPOCH ? { producerId: identity.producerId, epoch: identity.epoch + 1 } : undefined
  }
}
