/**
 * DescribeConfigs. Settings of topics and of brokers, with where each value comes from; v1 brought synonyms, v3 types and
 * documentation, which are left empty. Other kinds of resources have none here.
 */
import { DescribeConfigs } from '../../protocol/apis/32-describe-configs.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { handler } from '../handler.ts'
import type { Settings } from '../settings.ts'
import { topicDefaults } from '../topic-configs.ts'

const TOPIC = 2
const BROKER = 4
/** Where a value comes from (KIP-226). */
const FROM_TOPIC = 1
const FROM_FILE = 4
const BY_DEFAULT = 5

const UNKNOWN_TYPE = 0

/** All settings of a topic that was given `configs`. */
export function topicConfigEntries(configs: ReadonlyMap<string, string>, settings: Settings) {
  return Object.entries(topicDefaults).map(([name, fallback]) => ({
    name,
    value: configs.get(name) ?? brokerValue(name, settings) ?? fallback,
    readOnly: false,
    configSource: configs.has(name) ? FROM_TOPIC : BY_DEFAULT,
    isSensitive: false,
  }))
}

const brokerValue = (name: string, settings: Settings): string | undefined =>
  name === 'max.message.bytes'
    ? settings.text('message.max.bytes')
    : name === 'min.insync.replicas'
      ? settings.text('min.insync.replicas')
      : undefined

export const describeConfigs = handler(DescribeConfigs, ({ resources, includeSynonyms }, { cluster, version }) => ({
  throttleTimeMs: 0,
  results: resources.map(({ resourceType, resourceName, configurationKeys }) => {
    const answer = { resourceType, resourceName, errorCode: ErrorCode.NONE as number, errorMessage: null as string | null }
    const chosen = (entries: ReturnType<typeof topicConfigEntries>) =>
      entries
        .filter(({ name }) => configurationKeys === null || configurationKeys.length === 0 || configurationKeys.includes(name))
        .map(entry => ({
          ...entry,
          ...(version === 0 ? { isDefault: entry.configSource === BY_DEFAULT } : {}),
          configType: UNKNOWN_TYPE,
          documentation: null,
          synonyms: includeSynonyms ? [{ name: entry.name, value: entry.value, source: entry.configSource }] : [],
        }))
    if (resourceType === TOPIC) {
      const topic = cluster.topic(resourceName)
      if (!topic)
        return { ...answer, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: 'no such topic', configs: [] }
      return { ...answer, configs: chosen(topicConfigEntries(topic.configs, cluster.settings)) }
    }
    if (resourceType !== BROKER)
      return {
        ...answer,
        errorCode: ErrorCode.INVALID_REQUEST,
        errorMessage: `resources of type ${resourceType} are not kept here`,
        configs: [],
      }
    const entries = cluster.settings.entries().map(({ name, value, isDefault }) => ({
      name,
      value,
      readOnly: true,
      configSource: isDefault ? BY_DEFAULT : FROM_FILE,
      isSensitive: false,
    }))
    return { ...answer, configs: chosen(entries) }
  }),
}))
