/** IncrementalAlterConfigs. Sets, deletes, appends to or subtracts from single settings of a topic (KIP-339). */
import { IncrementalAlterConfigs } from '../../protocol/apis/44-incremental-alter-configs.ts'
import { changeTopicConfigs } from '../config-changes.ts'
import { handler } from '../handler.ts'
import { topicConfig } from '../topic-configs.ts'

const SET = 0
const DELETE = 1
const APPEND = 2
const SUBTRACT = 3

export const incrementalAlterConfigs = handler(IncrementalAlterConfigs, ({ resources, validateOnly }, { cluster }) => ({
  throttleTimeMs: 0,
  responses: resources.map(({ resourceType, resourceName, configs }) => ({
    resourceType,
    resourceName,
    ...changeTopicConfigs(cluster, { resourceType, resourceName, validateOnly }, topic => {
      const changed = new Map<string, string | null>(topic.configs)
      for (const { name, configOperation, value } of configs) {
        const items = topicConfig(topic, cluster.settings, name).split(',').filter(Boolean)
        const given = (value ?? '').split(',').filter(Boolean)
        if (configOperation === SET) changed.set(name, value)
        else if (configOperation === DELETE) changed.delete(name)
        else if (configOperation === APPEND) changed.set(name, [...new Set([...items, ...given])].join(','))
        else if (configOperation === SUBTRACT) changed.set(name, items.filter(item => !given.includes(item)).join(','))
        else return `Unknown operation type ${configOperation}`
      }
      return changed
    }),
  })),
}))
