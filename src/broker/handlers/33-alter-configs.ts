/** AlterConfigs. Replaces all settings of a topic by those given; the others go back to their defaults. */
import { AlterConfigs } from '../../protocol/apis/33-alter-configs.ts'
import { changeTopicConfigs } from '../config-changes.ts'
import { handler } from '../handler.ts'

export const alterConfigs = handler(AlterConfigs, ({ resources, validateOnly }, { cluster }) => ({
  throttleTimeMs: 0,
  responses: resources.map(({ resourceType, resourceName, configs }) => ({
    resourceType,
    resourceName,
    ...changeTopicConfigs(
      cluster,
      { resourceType, resourceName, validateOnly },
      () => new Map(configs.map(({ name, value }) => [name, value])),
    ),
  })),
}))
