import { configRoute } from '../config-route.ts'
import { api, array, bool, errorCode, int8, string, throttleTimeMs } from '../schema.ts'

/** Describes the configuration of topics, brokers, groups and client metrics. */
export const DescribeConfigs = api({
  key: 32,
  name: 'DescribeConfigs',
  versions: [0, 4],
  flexible: 4,
  route: configRoute('results'),
  clientThrottlesSince: 2,
  request: {
    /** What to describe. */
    resources: array({
      /** Kind of the resource: 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group. */
      resourceType: int8,
      /** Name of the resource: a topic, a broker id, a group … */
      resourceName: string,
      /** Names of the entries wanted; null for all. */
      configurationKeys: array(string).nullable(),
    }),
    /** Whether to list the other places a value could come from. */
    includeSynonyms: bool.since(1),
    /** Whether to include Kafka's text about each entry. */
    includeDocumentation: bool.since(3),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** What is known of each resource. */
    results: array({
      /** Error code; 0 is success. */
      errorCode,
      /** The broker's own text about the error; null when there is none. */
      errorMessage: string.nullable(),
      /** Kind of the resource: 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group. */
      resourceType: int8,
      /** Name of the resource: a topic, a broker id, a group … */
      resourceName: string,
      /** The resource's configuration entries: those asked for, or all. */
      configs: array({
        /** Name of the entry. */
        name: string,
        /** Value of the entry; null when it is a secret or not set. */
        value: string.nullable(),
        /** Whether the entry cannot be changed. */
        readOnly: bool,
        /** Whether nobody changed the value. */
        isDefault: bool.until(0),
        /** Where the value comes from: 1 topic, 2 broker (dynamic), 3 cluster-wide dynamic default, 4 static file, 5 built-in default, 6 broker logger, 7 client metrics, 8 group. */
        configSource: int8.since(1).default(-1).ignorable(),
        /** Whether the value is a secret, and so left out. */
        isSensitive: bool,
        /** Where else the value could come from, strongest first. */
        synonyms: array({
          /** Name of the entry there. */
          name: string,
          /** Value of the entry there; null when it is a secret. */
          value: string.nullable(),
          /** Where that is: numbers as of `configSource`. */
          source: int8,
        })
          .since(1)
          .ignorable(),
        /** Type of the value: 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class, 9 password. */
        configType: int8.since(3).ignorable(),
        /** Kafka's text about the entry; null when not asked for. */
        documentation: string.since(3).nullable().ignorable(),
      }),
    }),
  },
})
