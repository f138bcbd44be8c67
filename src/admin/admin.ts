import { refusalOf } from '../client/call-options.ts'
import { Client } from '../client/client.ts'
import { ClosedError, UnsupportedVersionError } from '../errors.ts'
import type { Api } from '../protocol/schema.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { checkNames, checkObject } from '../util/options.ts'
import { type CreatedTopic, type CreateTopicsOptions, createTopics, type NewTopic } from './operations/create-topics.ts'
import { deleteTopics, type TopicReference } from './operations/delete-topics.ts'
import { describeTopics, type TopicDescription } from './operations/describe-topics.ts'
import { type ListTopicsOptions, listTopics, type TopicListing } from './operations/list-topics.ts'
import type { CallOptions, Operation } from './operations/operation.ts'
import type { AdminOptionsInput } from './options.ts'

/**
 * Looks after a cluster. Every call takes `{ timeoutMs, signal }`, finds the broker in charge by itself and retries what
 * may be retried. A call on several things that fails for some of them rejects with a PartialFailureError, whose
 * `results` say what became of each, in the order of the call.
 *
 * Nothing is dialled before the first call or `connect()`.
 */
export class Admin {
  /** Its connections; shared, if it was passed in. */
  readonly client: Client
  private readonly ownsClient: boolean
  private closing: Promise<void> | undefined

  /** Throws ConfigError. */
  constructor(options: AdminOptionsInput, runtime?: Runtime) {
    checkObject(options)
    this.ownsClient = !('client' in options)
    // Off by default, as in Java: an admin is used now and then.
    const defaults = 'enable.metrics.push' in options ? {} : { enableMetricsPush: false }
    this.client = 'client' in options ? options.client : new Client({ ...defaults, ...options }, runtime)
    if (this.ownsClient) this.client.role = 'admin'
  }

  /** Resolves once the cluster answered, for those who want to fail fast. */
  async connect(options: CallOptions = {}): Promise<void> {
    this.checkOpen()
    const { timeoutMs, signal } = options
    await this.client.connect({ ...(timeoutMs !== undefined && { timeoutMs }), ...(signal && { signal }) })
  }

  /** Creates topics. Resolves when the controller has them; brokers may take a moment longer to know them. */
  async createTopics(topics: readonly NewTopic[], options: CreateTopicsOptions = {}): Promise<Map<string, CreatedTopic>> {
    if (topics.length === 0) return new Map()
    return this.run(createTopics, { topics, validateOnly: options.validateOnly ?? false }, options, 'validateOnly')
  }

  /** Deletes topics and all of their records, by name or by id (from 2.8 on). */
  async deleteTopics(topics: readonly TopicReference[], options: CallOptions = {}): Promise<void> {
    if (topics.length > 0) await this.run(deleteTopics, topics, options)
  }

  /** All topics of the cluster that this client may see. */
  async listTopics(options: ListTopicsOptions = {}): Promise<TopicListing[]> {
    return this.run(listTopics, { includeInternal: options.includeInternal ?? false }, options, 'includeInternal')
  }

  /** Partitions, leaders and replicas of topics, by name. Never creates one. */
  async describeTopics(names: readonly string[], options: CallOptions = {}): Promise<Map<string, TopicDescription>> {
    if (names.length === 0) return new Map()
    try {
      return await this.run(describeTopics, names, options)
    } catch (error) {
      if (!(error instanceof UnsupportedVersionError)) throw error
      return await this.run({ ...describeTopics, versions: () => ({}), build: () => ({ topics: null }) }, names, options)
    }
  }

  /** Ends its connections. A second call returns the same promise. */
  close(options: { timeoutMs?: number } = {}): Promise<void> {
    const refused = refusalOf('close()', options, ['timeoutMs'])
    if (refused) return refused
    this.closing ??= this.ownsClient ? this.client.close(options) : Promise.resolve()
    return this.closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private async run<A extends Api, Input, Result>(
    operation: Operation<A, Input, Result>,
    input: Input,
    options: CallOptions,
    ...ownOptions: string[]
  ): Promise<Result> {
    this.checkOpen()
    checkNames('the call', options, ['timeoutMs', 'signal', ...ownOptions])
    const { timeoutMs = this.client.options.defaultApiTimeoutMs, signal } = options
    // The broker should have given up by the time that this attempt does.
    const brokerTimeoutMs = Math.min(timeoutMs, this.client.options.requestTimeoutMs)
    const request = operation.build(input, brokerTimeoutMs)
    const answer = await this.client.request(operation.api, request, { timeoutMs, signal, ...operation.versions?.(input) })
    return operation.read(answer, input)
  }

  private checkOpen(): void {
    if (this.closing) throw new ClosedError('the admin client')
  }
}
