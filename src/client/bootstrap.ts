import { ConnectionError, TimeoutError } from '../errors.ts'
import { Metadata as MetadataApi } from '../protocol/apis/03-metadata.ts'
import { brokerError, ErrorCode } from '../protocol/error-codes.ts'
import type { Decoded } from '../protocol/schema.ts'
import type { Runtime, Timer } from '../runtime/runtime.ts'
import type { Brokers } from './brokers.ts'
import type { Lifetime } from './lifetime.ts'
import type { ClientOptions } from './options.ts'
import { isFatal, isRetriable } from './retry.ts'

export type MetadataAnswer = Decoded<(typeof MetadataApi)['response']>

export interface MetadataQuestion {
  /** Null: all topics. */
  readonly topics: readonly { readonly name: string }[] | null
  readonly ids: readonly string[]
  readonly allowAutoTopicCreation: boolean
}

/** A broker that has not answered by then is not given up, but the next one is asked as well, and the first answer counts. */
const HEDGE_AFTER_MS = 2_000
/** How many known brokers are asked before `bootstrapServers` are. */
const KNOWN_BEFORE_BOOTSTRAP = 3
/** First version that leaves it to the client whether asking creates a topic; before it the broker's setting decides. */
const CHOOSES_CREATION = 4
/** First version that can be asked for a topic by its id alone: in 10 and 11 the field exists, but brokers do not serve it. */
const ASKS_BY_ID = 12
/** First version whose leader epochs can be relied on: before, a reassignment may let them go back (KAFKA-9212). */
const RELIABLE_EPOCHS = 9

/** Whom to ask for metadata, and how: the brokers we know, and the addresses we began with. */
export class Bootstrap {
  private readonly options: ClientOptions
  private readonly runtime: Runtime
  private readonly lifetime: Lifetime
  private readonly pool: Brokers

  constructor(options: ClientOptions, runtime: Runtime, lifetime: Lifetime, pool: Brokers) {
    this.options = options
    this.runtime = runtime
    this.lifetime = lifetime
    this.pool = pool
  }

  /**
   * Asks one broker after the other until one answers. One that hangs does not hold up the next. Rejects with the failure
   * that tells most when none answered, and at once when the credentials are refused.
   */
  ask(question: MetadataQuestion): Promise<MetadataAnswer> {
    if (this.lifetime.ended) return Promise.reject(this.lifetime.ended)
    return new Promise<MetadataAnswer>((resolve, reject) => {
      const candidates = this.candidates()
      let next = 0
      let open = 0
      let failure: unknown
      let timer: Timer | undefined
      let over = false
      const finish = (settle: () => void) => {
        over = true
        timer?.cancel()
        settle()
      }
      const launch = () => {
        timer?.cancel()
        const nodeId = candidates[next++]
        if (nodeId === undefined) {
          if (open === 0) finish(() => reject(failure))
          return
        }
        open++
        if (next < candidates.length) timer = this.runtime.clock.setTimer(HEDGE_AFTER_MS, launch)
        this.askOne(nodeId, question).then(
          answer => finish(() => resolve(answer)),
          (error: unknown) => {
            open--
            failure = moreTelling(failure, error)
            if (isFatal(error) || this.lifetime.ended) finish(() => reject(error))
            else if (!over) launch()
          },
        )
      }
      launch()
    })
  }

  /** Broker ids, the least loaded first and equals in random order. */
  byLoad(nodeIds: readonly number[]): number[] {
    return nodeIds
      .map(nodeId => ({ nodeId, load: this.pool.load(nodeId) + this.runtime.random() }))
      .sort((a, b) => a.load - b.load)
      .map(({ nodeId }) => nodeId)
  }

  /**
   * The brokers we know, and early among them, unless told otherwise, `bootstrapServers`: when none of the brokers we knew
   * is left, the cluster has moved (KIP-899).
   */
  private candidates(): number[] {
    const known = this.byLoad(this.pool.nodeIds)
    if (known.length > 0 && this.options.metadataRecoveryStrategy === 'none') return known
    known.splice(KNOWN_BEFORE_BOOTSTRAP, 0, ...this.byLoad(this.pool.bootstrapIds))
    return known
  }

  private async askOne(nodeId: number, { topics, ids, allowAutoTopicCreation }: MetadataQuestion): Promise<MetadataAnswer> {
    const ms = this.options.requestTimeoutMs
    const answer = await this.pool.use(nodeId, 'other', { ms }, async connection => {
      const version = connection.versionOf(MetadataApi)
      const byId = topics && version >= ASKS_BY_ID ? ids.map(topicId => ({ topicId, name: null })) : []
      const request = {
        topics: topics && [...topics, ...byId],
        ...(version >= CHOOSES_CREATION ? { allowAutoTopicCreation } : {}),
      }
      const answer = await this.lifetime.within(connection.request(MetadataApi, request, { version }), {
        ms,
        operation: `the Metadata request to broker ${nodeId}`,
      })
      return version < RELIABLE_EPOCHS ? withoutEpochs(answer) : answer
    })
    if (answer.errorCode === ErrorCode.REBOOTSTRAP_REQUIRED) {
      this.pool.onStranger()
      const where = { ...(this.pool.endpoint(nodeId) ?? { host: '', port: 0 }), outcome: 'not-sent' as const }
      const message = `broker ${nodeId} sends us back to bootstrapServers: check that they lead to the cluster`
      throw new ConnectionError(message, where, { cause: brokerError(answer.errorCode, { api: 'Metadata' }) })
    }
    if (answer.errorCode !== ErrorCode.NONE) throw brokerError(answer.errorCode, { api: 'Metadata' })
    return answer
  }
}

const withoutEpochs = (answer: MetadataAnswer): MetadataAnswer => ({
  ...answer,
  topics: answer.topics.map(topic => ({
    ...topic,
    partitions: topic.partitions.map(partition => ({ ...partition, leaderEpoch: -1 })),
  })),
})

/** Of two failures: one that may pass counts more, as then asking again may help; of equals, a timeout says least. */
function moreTelling(before: unknown, now: unknown): unknown {
  if (before === undefined) return now
  if (isRetriable(before) !== isRetriable(now)) return isRetriable(now) ? now : before
  return now instanceof TimeoutError ? before : now
}
