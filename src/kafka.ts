import { Admin } from './admin/admin.ts'
import { Client } from './client/client.ts'
import { type JavaProperties, optionsFromProperties } from './client/java-options.ts'
import { type ClientOptionsInput, clientOptionsShape, javaNames, parseClientOptions } from './client/options.ts'
import { Consumer } from './consumer/consumer.ts'
import { type ConsumerOwnOptions, consumerJavaNames, consumerOptionsShape } from './consumer/options.ts'
import { ConfigError } from './errors.ts'
import { type ProducerOwnOptions, producerJavaNames, producerOptionsShape } from './producer/options.ts'
import { Producer } from './producer/producer.ts'
import { environment } from './runtime/environment.ts'
import type { Runtime } from './runtime/runtime.ts'
import { checkObject } from './util/options.ts'

/** Connections of its own, made as the profile says but for what is given here; or those of a client that is there already. */
type Connections = Partial<ClientOptionsInput> | { readonly client: Client }

interface RoleOptions {
  readonly producer: Readonly<Record<string, unknown>>
  readonly consumer: Readonly<Record<string, unknown>>
}
const NO_ROLES: RoleOptions = { producer: {}, consumer: {} }

/**
 * A validated profile: which cluster, and how to reach it. It opens nothing; what it makes does, each for itself.
 *
 *     const kafka = new Kafka({ bootstrapServers: 'localhost:9092', clientId: 'shop' })
 *     await using producer = kafka.producer({ key: string, value: json(Order) })
 */
export class Kafka {
  // Hidden from console.log and JSON: they may hold credentials.
  readonly #options: ClientOptionsInput
  readonly #runtime: Runtime | undefined
  #roles = NO_ROLES

  /** Throws ConfigError. */
  constructor(options: ClientOptionsInput, runtime?: Runtime) {
    const { sasl } = parseClientOptions(options)
    // One authenticator for all that is made from here: it may hold a token.
    this.#options = sasl ? { ...options, sasl } : { ...options }
    this.#runtime = runtime
  }

  /**
   * A profile from a Java client's properties: `{ 'bootstrap.servers': …, 'security.protocol': 'SASL_SSL', … }`, values as texts
   * or as what they are. Keys of Java's producer and consumer (`acks`, `group.id`) become defaults of what the profile makes.
   * Serializer classes and other machinery of Java are passed over with a line at the logger; so are the `sasl.*` or `ssl.*` keys
   * where the second argument has `sasl` or `tls`: its options overrule the properties. Throws ConfigError.
   */
  static fromProperties(
    properties: JavaProperties,
    { runtime, ...more }: Partial<ClientOptionsInput> & { runtime?: Runtime } = {},
  ): Kafka {
    checkObject(properties)
    const names = { ...producerJavaNames, ...consumerJavaNames, ...javaNames }
    const shape = { ...producerOptionsShape, ...consumerOptionsShape, ...clientOptionsShape }
    const { options, unused } = optionsFromProperties(properties, shape, names, more)
    const producer: Record<string, unknown> = {}
    const consumer: Record<string, unknown> = {}
    const client: Record<string, unknown> = { ...more }
    for (const [name, value] of Object.entries(options)) {
      if (name in producerOptionsShape) producer[name] = value
      if (name in consumerOptionsShape) consumer[name] = value
      if (!(name in producerOptionsShape) && !(name in consumerOptionsShape)) client[name] ??= value
    }
    const kafka = new Kafka(client as unknown as ClientOptionsInput, runtime)
    kafka.#roles = { producer, consumer }
    if (unused.length > 0) {
      const why =
        'they concern Java only, security.protocol asks for nothing of the kind, or the sasl or tls option replaces them'
      more.logger?.warn({ keys: unused }, `these properties have no effect here: ${why}`)
    }
    return kafka
  }

  /**
   * A profile from environment variables: `KAFKA_BOOTSTRAP_SERVERS`, `KAFKA_SECURITY_PROTOCOL`, … — Java's names in capitals
   * with underscores — and `KAFKA_SASL_USERNAME`, `KAFKA_SASL_PASSWORD`. Other variables that begin with `KAFKA_` are left alone.
   * Throws ConfigError.
   */
  static fromEnv(
    env: Readonly<Record<string, string | undefined>> = environment(),
    more: Parameters<typeof Kafka.fromProperties>[1] = {},
  ): Kafka {
    const properties: Record<string, string> = {}
    const known = { ...producerJavaNames, ...consumerJavaNames, ...javaNames }
    for (const [variable, value] of Object.entries(env)) {
      const key = /^KAFKA_(.+)$/.exec(variable)?.[1]?.toLowerCase().replaceAll('_', '.')
      if (key === undefined || value === undefined || value === '') continue
      if (key in known || key === 'security.protocol' || /^(ssl|sasl)\./.test(key)) properties[key] = value
    }
    const { 'sasl.username': username, 'sasl.password': password, ...rest } = properties
    if (username !== undefined && password !== undefined && rest['sasl.jaas.config'] === undefined) {
      const quoted = (text: string) => `"${text.replace(/(["\\])/g, '\\$1')}"`
      rest['sasl.jaas.config'] = `LoginModule required username=${quoted(username)} password=${quoted(password)};`
    }
    if (rest['bootstrap.servers'] === undefined && more?.bootstrapServers === undefined) {
      throw new ConfigError([{ path: 'KAFKA_BOOTSTRAP_SERVERS', message: "is not set: set it to 'host:port,host:port'" }])
    }
    return Kafka.fromProperties(rest, more)
  }

  /** Writes records. Close it when done. Throws ConfigError. */
  producer<K = Uint8Array | null, V = Uint8Array | null>(options: ProducerOwnOptions<K, V> & Connections = {}): Producer<K, V> {
    return new Producer<K, V>({ ...this.profileFor(options), ...this.#roles.producer, ...options } as never, this.#runtime)
  }

  /** Reads records, alone or in a group. Close it when done. Throws ConfigError. */
  consumer<K = Uint8Array | null, V = Uint8Array | null>(options: ConsumerOwnOptions<K, V> & Connections = {}): Consumer<K, V> {
    return new Consumer<K, V>({ ...this.profileFor(options), ...this.#roles.consumer, ...options } as never, this.#runtime)
  }

  /** Looks after topics, groups and settings. Close it when done. Throws ConfigError. */
  admin(options: Connections = {}): Admin {
    const defaults = 'client' in options ? {} : { enableMetricsPush: false }
    return new Admin({ ...defaults, ...this.profileFor(options), ...options } as never, this.#runtime)
  }

  /** A client of its own: sends any request of the protocol, and may be shared by what is made here. Close it when done. */
  client(options: Partial<ClientOptionsInput> = {}): Client {
    return new Client({ ...this.#options, ...options }, this.#runtime)
  }

  private profileFor(options: object): object {
    return 'client' in options && options.client !== undefined ? {} : this.#options
  }
}
