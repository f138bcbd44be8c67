import { z } from 'zod'
import type { Runtime, TlsOptions } from '../runtime/runtime.ts'
import type { Logger } from '../util/logger.ts'
import { type Release, releaseNames } from './releases.ts'

/** Options of `startBroker`. */
export const brokerOptions = z.strictObject({
  /** Topics that exist from the start, with their number of partitions. */
  topics: z.record(z.string(), z.int().positive()).default({}),
  /** Port of the first node; the others take those that follow. 0: free ports. */
  port: z.int().min(0).max(65535).default(0),
  /** Address to listen on. */
  host: z.string().min(1).default('127.0.0.1'),
  /** Name or address that clients are told to connect to; by default the address listened on. */
  advertisedHost: z.string().min(1).optional(),
  /** Number of brokers in the cluster, with ids from 1 on. */
  nodes: z.int().min(1).max(100).default(1),
  /** Racks of the nodes, in their order (KIP-36, KIP-392). */
  racks: z.array(z.string()).default([]),
  runtime: z.custom<Runtime>().optional(),
  logger: z.custom<Logger>().optional(),
  /** Partitions of a topic that is created without saying how many. */
  defaultPartitions: z.int().positive().default(1),
  /** Whether asking for an unknown topic creates it, as a Kafka broker does by default. */
  autoCreateTopics: z.boolean().default(true),
  /** Broker settings by Kafka's names; those that `settings.ts` lists have an effect, the others are only shown. */
  config: z.record(z.string(), z.string()).default({}),
  clusterId: z.string().min(1).optional(),
  /** Whether produced batches are checked against their checksum. */
  checkCrcs: z.boolean().default(true),
  /** Offer only what that release of Kafka offers. */
  asVersion: z.enum(releaseNames as [Release, ...Release[]]).optional(),
  /** Upper bounds of versions by API name, such as `{ Fetch: 12 }`. */
  maxVersions: z.record(z.string(), z.int().nonnegative()).default({}),
  /** Options of node:tls `createServer`; clients then have to use TLS. */
  tls: z.custom<TlsOptions>().optional(),
  /** Clients then have to authenticate. */
  sasl: z
    .strictObject({
      /** In the order offered. */
      mechanisms: z
        .array(z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']))
        .nonempty()
        .default(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']),
      /** Passwords by user name, for PLAIN and SCRAM. */
      users: z.record(z.string(), z.string()).default({}),
      /** Decides about a bearer token; gives its user, or undefined to refuse it. By default unsecured JWTs are taken at their word. */
      validateToken: z.custom<(token: string) => { principal: string; expiresAtMs?: number } | undefined>().optional(),
      /** After that time a connection has to authenticate again (KIP-368, `connections.max.reauth.ms`). 0: never. */
      maxReauthMs: z.int().nonnegative().default(0),
    })
    .optional(),
})

export type BrokerOptionsInput = z.input<typeof brokerOptions>
export type BrokerOptions = z.output<typeof brokerOptions>
