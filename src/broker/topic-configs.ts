import type { Settings } from './settings.ts'
import type { Topic } from './topic.ts'

/** Topic settings with Kafka's defaults. Only those marked * change what this broker does. */
export const topicDefaults: Readonly<Record<string, string>> = {
  'cleanup.policy': 'delete', // * compact: records must have a key; `compact()` works on any topic
  'compression.type': 'producer',
  'delete.retention.ms': '86400000',
  'file.delete.delay.ms': '60000',
  'flush.messages': '9223372036854775807',
  'flush.ms': '9223372036854775807',
  'follower.replication.throttled.replicas': '',
  'index.interval.bytes': '4096',
  'leader.replication.throttled.replicas': '',
  'max.compaction.lag.ms': '9223372036854775807',
  'max.message.bytes': '1048588', // *
  'message.timestamp.after.max.ms': '3600000',
  'message.timestamp.before.max.ms': '9223372036854775807',
  'message.timestamp.type': 'CreateTime', // *
  'min.cleanable.dirty.ratio': '0.5',
  'min.compaction.lag.ms': '0',
  'min.insync.replicas': '1', // *
  preallocate: 'false',
  'retention.bytes': '-1',
  'retention.ms': '604800000',
  'segment.bytes': '1073741824',
  'segment.index.bytes': '10485760',
  'segment.jitter.ms': '0',
  'segment.ms': '604800000',
  'unclean.leader.election.enable': 'false',
}

/** Broker settings that are a topic's default under another name. */
const fromBroker: Readonly<Record<string, 'message.max.bytes' | 'min.insync.replicas'>> = {
  'max.message.bytes': 'message.max.bytes',
  'min.insync.replicas': 'min.insync.replicas',
}

export function topicConfig(topic: Topic, settings: Settings, name: string): string {
  const setting = fromBroker[name]
  return topic.configs.get(name) ?? (setting ? settings.text(setting) : (topicDefaults[name] ?? ''))
}

/** What is wrong with a topic setting, or undefined. */
export function topicConfigFault(name: string, value: string | null): string | undefined {
  if (!(name in topicDefaults)) return `Unknown topic config name: ${name}`
  if (value === null) return `Null value not supported for topic configs: ${name}`
  const fallback = topicDefaults[name]!
  const invalid = `Invalid value ${value} for configuration ${name}`
  if (/^-?\d+$/.test(fallback) && !/^-?\d+$/.test(value)) return `${invalid}: Not a number`
  if (/^(true|false)$/.test(fallback) && !/^(true|false)$/i.test(value))
    return `${invalid}: Expected value to be either true or false`
  if (name === 'cleanup.policy' && !/^(compact|delete)(,(compact|delete))?$/.test(value))
    return `${invalid}: String must be one of: compact, delete`
  if (name === 'message.timestamp.type' && !/^(CreateTime|LogAppendTime)$/.test(value))
    return `${invalid}: String must be one of: CreateTime, LogAppendTime`
  if (name === 'compression.type' && !/^(uncompressed|zstd|lz4|snappy|gzip|producer)$/.test(value))
    return `${invalid}: String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer`
  return undefined
}
