import { anyBroker, api, array, errorCode, int8, string, throttleTimeMs } from '../schema.ts'

export const ListConfigResources = api({
  key: 74,
  name: 'ListConfigResources',
  versions: [0, 1],
  flexible: 0,
  route: anyBroker,
  request: {
    resourceTypes: array(int8).since(1),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    errorCode: errorCode,
    configResources: array({
      resourceName: string,
      resourceType: int8.since(1).default(16).ignorable(),
    }),
  },
})
