import { UnsupportedVersionError } from '../errors.ts'
import { InitProducerId } from '../protocol/apis/22-init-producer-id.ts'
import { brokerError } from '../protocol/error-codes.ts'
import type { Cluster } from './cluster.ts'
import { Identities } from './identity.ts'

/** `preferred`: on, unless a broker cannot. */
export type Idempotence = 'required' | 'preferred' | 'off'

/** Gets the producer its id from the cluster, when one is needed. */
export class Identification {
  private readonly cluster: Cluster
  private readonly idempotence: Idempotence
  private known: Identities | undefined
  private asking: Promise<void> | undefined
  private warned = false

  constructor(cluster: Cluster, idempotence: Idempotence) {
    this.cluster = cluster
    this.idempotence = idempotence
    this.known = idempotence === 'off' ? undefined : new Identities()
  }

  /** Undefined when the producer is not idempotent, or no longer. */
  get identities(): Identities | undefined {
    return this.known
  }

  /** Whether batches may be numbered, or need no numbers. */
  get isReady(): boolean {
    return !this.known || this.known.current !== undefined
  }

  /** Resolves when `isReady`. Rejects with what is in the way: it may be tried again. */
  obtain(nodeId: number): Promise<void> {
    this.asking ??= this.ask(nodeId).finally(() => {
      this.asking = undefined
    })
    return this.asking
  }

  private async ask(nodeId: number): Promise<void> {
    try {
      const request = { transactionalId: null, transactionTimeoutMs: 0x7fffffff }
      const answer = await this.cluster.sendTo(nodeId, InitProducerId, request, { lane: 'produce' })
      if (answer.errorCode !== 0) throw brokerError(answer.errorCode, { api: 'InitProducerId' })
      this.known?.assigned({ producerId: answer.producerId, epoch: answer.producerEpoch })
    } catch (error) {
      if (!(error instanceof UnsupportedVersionError)) throw error
      this.lacking(nodeId, error)
      this.known = undefined
    }
  }

  /** A broker knows no idempotent producers: a warning, the first time, or UnsupportedVersionError where they were asked for. */
  lacking(nodeId: number, cause?: UnsupportedVersionError): void {
    if (this.idempotence === 'required')
      throw new UnsupportedVersionError(
        'InitProducerId',
        `${cause?.message ?? `broker ${nodeId} takes no numbered batches`}: set idempotent to false, or upgrade the broker to 0.11 or later`,
        { cause },
      )
    if (this.idempotence === 'off' || this.warned) return
    this.warned = true
    this.cluster.logger.warn(
      { nodeId },
      'the broker is older than 0.11 and knows no idempotent producers, so a retry may store a record twice; set idempotent to false to accept that',
    )
  }
}
