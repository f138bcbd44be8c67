// server.properties of the brokers the tests start, for KRaft and for ZooKeeper releases.
import type { Certificates } from './certificates.ts'

export interface NodePlan {
  readonly nodeId: number
  readonly ports: {
    readonly plaintext: number
    readonly controller: number
    readonly sasl: number
    readonly tls: number
    readonly saslTls: number
  }
}

export interface ClusterPlan {
  readonly nodes: readonly NodePlan[]
  /** Adds listeners SASL_PLAINTEXT, SSL and SASL_SSL beside PLAINTEXT. */
  readonly security: Certificates | undefined
  /** Properties that replace or extend those below. */
  readonly config: Readonly<Record<string, string>>
}

export const saslUsers = { admin: 'admin-secret', alice: 'alice-secret' } as const

/** Small and quick: short session floors so that tests of groups need not wait, few internal partitions. */
function common({ nodes }: ClusterPlan): Record<string, string> {
  const replicas = String(nodes.length)
  const minIsr = nodes.length >= 3 ? '2' : '1'
  return {
    'num.partitions': '3',
    'num.network.threads': '2',
    'num.io.threads': '4',
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '3',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': minIsr,
    'transaction.state.log.num.partitions': '3',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    'auto.create.topics.enable': 'true',
    'default.replication.factor': replicas,
    'min.insync.replicas': minIsr,
    'log.segment.bytes': '16777216',
    'log.cleaner.dedupe.buffer.size': '2097152',
    'log.retention.check.interval.ms': '1000',
    'message.max.bytes': '16777216',
    'replica.fetch.max.bytes': '16777216',
    'replica.lag.time.max.ms': '5000',
  }
}

export function kraftProperties(plan: ClusterPlan, node: NodePlan, dataDirectory: string, major: number): string {
  const { ports, nodeId } = node
  const replicas = String(plan.nodes.length)
  const minIsr = plan.nodes.length >= 3 ? '2' : '1'
  const secured = plan.security
    ? [`SASL://127.0.0.1:${ports.sasl}`, `SSL://127.0.0.1:${ports.tls}`, `SASLSSL://127.0.0.1:${ports.saslTls}`]
    : []
  const listeners = [`PLAINTEXT://127.0.0.1:${ports.plaintext}`, ...secured]
  return text({
    ...common(plan),
    'process.roles': 'broker,controller',
    'node.id': String(nodeId),
    'controller.quorum.voters': plan.nodes.map(other => `${other.nodeId}@127.0.0.1:${other.ports.controller}`).join(','),
    listeners: [...listeners, `CONTROLLER://127.0.0.1:${ports.controller}`].join(','),
    // A certificate names hosts, not only addresses: the TLS listeners are announced as localhost.
    'advertised.listeners': listeners.map(entry => entry.replace(/^((?:SASL)?SSL:\/\/)127\.0\.0\.1/, '$1localhost')).join(','),
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,SSL:SSL,SASLSSL:SASL_SSL,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': dataDirectory,
    'broker.rack': `rack-${nodeId}`,
    'replica.selector.class': 'org.apache.kafka.common.replica.RackAwareReplicaSelector',
    'broker.session.timeout.ms': '6000',
    'broker.heartbeat.interval.ms': '1000',
    'controller.quorum.election.timeout.ms': '1000',
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': minIsr,
    'share.coordinator.state.topic.num.partitions': '3',
    'group.consumer.min.session.timeout.ms': '1000',
    'group.consumer.session.timeout.ms': '6000',
    'group.consumer.min.heartbeat.interval.ms': '500',
    'group.consumer.heartbeat.interval.ms': '1000',
    // KIP-848 is on by default in 4.x; 3.9 has it behind these.
    ...(major < 4 ? { 'group.coordinator.rebalance.protocols': 'classic,consumer', 'group.coordinator.new.enable': 'true' } : {}),
    ...(plan.security ? securityProperties(plan.security) : {}),
    ...plan.config,
  })
}

function securityProperties(certificates: Certificates): Record<string, string> {
  const properties: Record<string, string> = {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    'ssl.keystore.type': 'PKCS12',
    'ssl.keystore.location': certificates.serverKeystore,
    'ssl.keystore.password': certificates.password,
    'ssl.key.password': certificates.password,
    'ssl.truststore.type': 'PKCS12',
    'ssl.truststore.location': certificates.truststore,
    'ssl.truststore.password': certificates.password,
    'ssl.client.auth': 'requested',
    // Short enough that a test of KIP-368 sees a session end.
    'listener.name.sasl.connections.max.reauth.ms': '5000',
    'listener.name.saslssl.connections.max.reauth.ms': '0',
  }
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  const users = Object.entries(saslUsers).map(([name, password]) => `user_${name}="${password}"`)
  const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="${saslUsers.admin}" ${users.join(' ')};`
  for (const listener of ['sasl', 'saslssl']) {
    const prefix = `listener.name.${listener}`
    properties[`${prefix}.plain.sasl.jaas.config`] = plain
    properties[`${prefix}.scram-sha-256.sasl.jaas.config`] = scram
    properties[`${prefix}.scram-sha-512.sasl.jaas.config`] = scram
    properties[`${prefix}.oauthbearer.sasl.jaas.config`] =
      'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";'
  }
  return properties
}

export function zookeeperBrokerProperties(
  plan: ClusterPlan,
  node: NodePlan,
  dataDirectory: string,
  zookeeperPort: number,
): string {
  return text({
    ...common(plan),
    'broker.id': String(node.nodeId),
    listeners: `PLAINTEXT://127.0.0.1:${node.ports.plaintext}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${node.ports.plaintext}`,
    'zookeeper.connect': `127.0.0.1:${zookeeperPort}`,
    'zookeeper.session.timeout.ms': '6000',
    'log.dirs': dataDirectory,
    'delete.topic.enable': 'true',
    ...plan.config,
  })
}

export function zookeeperProperties(dataDirectory: string, port: number): string {
  return text({
    dataDir: dataDirectory,
    clientPort: String(port),
    clientPortAddress: '127.0.0.1',
    'admin.enableServer': 'false',
    tickTime: '1000',
    maxClientCnxns: '0',
  })
}

/** Logging of releases up to 3.9: everything to stdout, which the harness sends to the node's log file. */
export const log4jProperties = text({
  'log4j.rootLogger': 'INFO, stdout',
  'log4j.appender.stdout': 'org.apache.log4j.ConsoleAppender',
  'log4j.appender.stdout.layout': 'org.apache.log4j.PatternLayout',
  'log4j.appender.stdout.layout.ConversionPattern': '[%d] %p %m (%c)%n',
})

function text(properties: Record<string, string>): string {
  return `${Object.entries(properties)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`
}
