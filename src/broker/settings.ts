import { ConfigError } from '../errors.ts'

/**
 * Broker settings that have an effect here, with Kafka's names and defaults. The two that differ from Kafka:
 * `group.initial.rebalance.delay.ms` is 0 rather than 3000, since a test rarely wants to wait for members that might come,
 * and `default.replication.factor` is as many as there are nodes, at most 3.
 */
const defaults = {
  'auto.create.topics.enable': '',
  'connections.max.reauth.ms': '',
  'default.replication.factor': '',
  'fetch.max.bytes': '57671680',
  'group.initial.rebalance.delay.ms': '0',
  'group.max.session.timeout.ms': '1800000',
  'group.max.size': '2147483647',
  'group.min.session.timeout.ms': '6000',
  'max.incremental.fetch.session.cache.slots': '1000',
  'message.max.bytes': '1048588',
  'min.insync.replicas': '1',
  'num.partitions': '',
  'offset.metadata.max.bytes': '4096',
  'socket.request.max.bytes': '104857600',
  'transaction.max.timeout.ms': '900000',
} as const

export type SettingName = keyof typeof defaults

export class Settings {
  private readonly given: ReadonlyMap<string, string>
  private readonly fallbacks: Readonly<Partial<Record<SettingName, string>>>

  constructor(given: Readonly<Record<string, string>>, fallbacks: Readonly<Partial<Record<SettingName, string>>>) {
    this.given = new Map(Object.entries(given))
    this.fallbacks = fallbacks
    for (const name of Object.keys(defaults) as SettingName[]) {
      if (/\.enable$/.test(name)) this.flag(name)
      else this.number(name)
    }
  }

  text(name: SettingName): string {
    return this.given.get(name) ?? this.fallbacks[name] ?? defaults[name]
  }

  number(name: SettingName): number {
    const text = this.text(name)
    if (!/^-?\d+$/.test(text)) throw new ConfigError([{ path: `config.${name}`, message: `${text} is not a whole number` }])
    return Number(text)
  }

  flag(name: SettingName): boolean {
    const text = this.text(name)
    if (text !== 'true' && text !== 'false')
      throw new ConfigError([{ path: `config.${name}`, message: `${text} is neither true nor false` }])
    return text === 'true'
  }

  /** All settings, given or by default, by name. */
  entries(): readonly { readonly name: string; readonly value: string; readonly isDefault: boolean }[] {
    const names = [...new Set([...Object.keys(defaults), ...this.given.keys()])].sort()
    return names.map(name => ({
      name,
      value: this.given.get(name) ?? this.text(name as SettingName),
      isDefault: !this.given.has(name),
    }))
  }
}
