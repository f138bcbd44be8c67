import type { TopicPartition } from '../client/partition-map.ts'
import { KafkaError } from '../errors.ts'
import { checkNames } from '../util/options.ts'

/**
 * Told of changes of a group's assignment, inside `poll()`, `next()` or `run`, which wait for it. What it throws rejects
 * that call.
 */
export interface RebalanceListener {
  /** New partitions, before the first record of them: the place to `seek`. */
  onAssigned?(partitions: TopicPartition[]): void | Promise<void>
  /** Partitions about to go, while we still own them: the place to `commit`. */
  onRevoked?(partitions: TopicPartition[]): void | Promise<void>
  /** Partitions already gone, perhaps to another member: commits fail. Default: `onRevoked`. */
  onLost?(partitions: TopicPartition[]): void | Promise<void>
}
export interface SubscribeOptions {
  /** Replaces the listener of an earlier subscription. */
  readonly listener?: RebalanceListener
}
export type TopicSelection =
  | { readonly topics: readonly string[]; readonly listener?: RebalanceListener }
  /** Matched against whole topic names at each metadata refresh; anchor it with ^ and $ as needed. */
  | { readonly pattern: RegExp; readonly listener?: RebalanceListener }

const TOPIC_NAME = /^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}$/

/** What the user asked to read; at most one kind at a time. */
export class Subscription {
  private state:
    | { readonly kind: 'none' }
    | { readonly kind: 'manual' }
    | { readonly kind: 'topics'; readonly topics: readonly string[] }
    | { readonly kind: 'pattern'; readonly pattern: RegExp; matched: readonly string[] } = { kind: 'none' }
  listener: RebalanceListener = {}

  get kind(): 'none' | 'manual' | 'topics' | 'pattern' {
    return this.state.kind
  }
  get pattern(): RegExp | undefined {
    return this.state.kind === 'pattern' ? this.state.pattern : undefined
  }

  /** Topic names in effect; null without a subscription. */
  topics(): string[] | null {
    if (this.state.kind === 'topics') return [...this.state.topics]
    return this.state.kind === 'pattern' ? [...this.state.matched] : null
  }

  subscribe(selection: string | readonly string[] | TopicSelection, options: SubscribeOptions): void {
    const wanted: TopicSelection =
      typeof selection === 'string' ? { topics: [selection] } : isNames(selection) ? { topics: selection } : selection
    const kind = 'pattern' in wanted ? 'pattern' : 'topics'
    checkNames('subscribe()', wanted, [kind, 'listener'])
    checkNames('subscribe()', options, ['listener'])
    const listener = options.listener ?? wanted.listener ?? {}
    checkListener(listener)
    if (this.state.kind !== 'none' && this.state.kind !== kind)
      throw conflict(this.state.kind, `subscribe to ${kind === 'topics' ? 'topics' : 'a pattern'}`)
    if ('pattern' in wanted) {
      if (!(wanted.pattern instanceof RegExp)) throw invalid('pattern must be a RegExp')
      this.state = {
        kind: 'pattern',
        pattern: new RegExp(wanted.pattern.source, wanted.pattern.flags.replace(/[gy]/g, '')),
        matched: [],
      }
    } else {
      if (!Array.isArray(wanted.topics)) throw invalid('subscribe takes topic names, { topics } or { pattern }')
      for (const topic of wanted.topics) checkTopicName(topic)
      this.state = { kind: 'topics', topics: [...new Set(wanted.topics)] }
    }
    this.listener = listener
  }

  assign(): void {
    if (this.state.kind === 'topics' || this.state.kind === 'pattern') throw conflict(this.state.kind, 'assign partitions')
    this.state = { kind: 'manual' }
  }

  clear(): void {
    this.state = { kind: 'none' }
    this.listener = {}
  }

  /** Applies the pattern to the topics there are. Returns whether the outcome changed. */
  match(topics: Iterable<{ readonly name: string; readonly isInternal: boolean }>, excludeInternal: boolean): boolean {
    if (this.state.kind !== 'pattern') return false
    const { pattern, matched } = this.state
    const next: string[] = []
    for (const { name, isInternal } of topics) if (!(isInternal && excludeInternal) && pattern.test(name)) next.push(name)
    next.sort()
    if (next.length === matched.length && next.every((name, i) => name === matched[i])) return false
    this.state.matched = next
    return true
  }
}

export function checkTopicName(topic: unknown): asserts topic is string {
  if (typeof topic !== 'string' || !TOPIC_NAME.test(topic))
    throw invalid(`${JSON.stringify(topic)} is no topic name: use 1 to 249 of A-Z a-z 0-9 . _ -, but not . or ..`)
}

/** A listener may be an object of any class; one that is never called is a mistake. */
function checkListener(listener: RebalanceListener): void {
  const { onAssigned, onRevoked, onLost } = listener
  if (!onAssigned && !onRevoked && !onLost) checkNames('a listener', listener, ['onAssigned', 'onRevoked', 'onLost'])
}

function isNames(selection: readonly string[] | TopicSelection): selection is readonly string[] {
  return Array.isArray(selection)
}

function conflict(current: string, wanted: string): KafkaError {
  const had = {
    none: '',
    manual: 'assign() was used',
    topics: 'topics are subscribed to',
    pattern: 'a pattern is subscribed to',
  }[current]
  return new KafkaError('ERR_ILLEGAL_STATE', `cannot ${wanted}: ${had}. Call unsubscribe() first`)
}

export function invalid(message: string): KafkaError {
  return new KafkaError('ERR_INVALID_ARGUMENT', message)
}
