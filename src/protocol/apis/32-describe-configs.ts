import { anyBroker, api, array, bool, errorCode, int8, string, throttleTimeMs } from '../schema.ts'

export const DescribeConfigs = api({
  key: 32,
  name: 'DescribeConfigs',
  versions: [0, 4],
  flexible: 4,
  route: anyBroker,
  clientThrottlesSince: 2,
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configurationKeys: array(string).nullable(),
    }),
    includeSynonyms: bool.since(1),
    includeDocumentation: bool.since(3),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    results: array({
      errorCode: errorCode,
      errorMessage: string.nullable(),
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        value: string.nullable(),
        readOnly: bool,
        isDefault: bool.until(0),
        configSource: int8.since(1).default(-1).ignorable(),
        isSensitive: bool,
        synonyms: array({
          name: string,
          value: string.nullable(),
          source: int8,
        })
          .since(1)
          .ignorable(),
        configType: int8.since(3).ignorable(),
        documentation: string.since(3).nullable().ignorable(),
      }),
    }),
  },
})
