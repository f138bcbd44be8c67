import { ErrorCode } from '../protocol/error-codes.ts'
import type { Cluster } from './cluster.ts'
import type { Topic } from './topic.ts'
import { topicConfigFault } from './topic-configs.ts'

const TOPIC = 2

interface Target {
  readonly resourceType: number
  readonly resourceName: string
  readonly validateOnly: boolean
}

/** Gives a topic the settings that `change` makes of it, if all of them are valid; a text instead says what is wrong with the request. */
export function changeTopicConfigs(
  cluster: Cluster,
  { resourceType, resourceName, validateOnly }: Target,
  change: (topic: Topic) => ReadonlyMap<string, string | null> | string,
): { errorCode: number; errorMessage: string | null } {
  if (resourceType !== TOPIC)
    return {
      errorCode: ErrorCode.INVALID_REQUEST,
      errorMessage: `resources of type ${resourceType} cannot be changed on this broker`,
    }
  const topic = cluster.topic(resourceName)
  if (!topic)
    return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: `The topic '${resourceName}' does not exist.` }
  const changed = change(topic)
  if (typeof changed === 'string') return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: changed }
  for (const [name, value] of changed) {
    const fault = topicConfigFault(name, value)
    if (fault) return { errorCode: ErrorCode.INVALID_CONFIG, errorMessage: fault }
  }
  if (!validateOnly) {
    topic.configs.clear()
    for (const [name, value] of changed) if (value !== null) topic.configs.set(name, value)
  }
  return { errorCode: ErrorCode.NONE, errorMessage: null }
}
