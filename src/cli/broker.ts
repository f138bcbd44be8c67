import { parseArgs } from 'node:util'
import { type BrokerOptions, type Release, startBroker } from '../broker/index.ts'

export const summary = 'an in-memory Kafka cluster on this machine'

export const usage = `kafkawire broker [options]

Runs a Kafka cluster in memory until it is interrupted (Ctrl-C). Every Kafka client can use it; what was written is gone
when it ends.

  --port PORT            port of the first node, the others follow it   (default 9092; 0 picks free ports)
  --host ADDRESS         address to listen on                           (default 127.0.0.1)
  --advertised-host NAME what clients are told to connect to            (default the address)
  --nodes N              number of brokers                              (default 1)
  --topic NAME[:N]       create a topic with N partitions; may be repeated
  --partitions N         partitions of topics created on demand         (default 1)
  --no-auto-create       do not create topics that clients ask for
  --config NAME=VALUE    a broker setting by Kafka's name; may be repeated
  --as-version RELEASE   offer only what that release of Kafka offers, such as 3.9
  --user NAME:PASSWORD   require SASL (PLAIN, SCRAM) with that user; may be repeated`

export async function run(args: readonly string[], print: (line: string) => void): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string', default: '9092' },
      host: { type: 'string', default: '127.0.0.1' },
      'advertised-host': { type: 'string' },
      nodes: { type: 'string', default: '1' },
      topic: { type: 'string', multiple: true, default: [] },
      partitions: { type: 'string', default: '1' },
      'no-auto-create': { type: 'boolean', default: false },
      config: { type: 'string', multiple: true, default: [] },
      'as-version': { type: 'string' },
      user: { type: 'string', multiple: true, default: [] },
    },
  })
  const options: BrokerOptions = {
    port: Number(values.port),
    host: values.host,
    nodes: Number(values.nodes),
    topics: Object.fromEntries(values.topic.map(text => pair(text, ':')).map(([name, count]) => [name, Number(count || 1)])),
    defaultPartitions: Number(values.partitions),
    autoCreateTopics: !values['no-auto-create'],
    config: Object.fromEntries(values.config.map(text => pair(text, '='))),
    ...(values['advertised-host'] !== undefined && { advertisedHost: values['advertised-host'] }),
    ...(values['as-version'] !== undefined && { asVersion: values['as-version'] as Release }),
    ...(values.user.length > 0 && { sasl: { users: Object.fromEntries(values.user.map(text => pair(text, ':'))) } }),
  }
  await using broker = await startBroker(options)
  print(`Kafka cluster ${broker.clusterId} listens on ${broker.bootstrapServers}`)
  await new Promise<void>(resolve => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
  print('closing')
  return 0
}

/** Both sides of the last separator; all of the text and '' where there is none. */
function pair(text: string, separator: string): [string, string] {
  const at = separator === ':' ? text.lastIndexOf(separator) : text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
