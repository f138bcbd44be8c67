import type { Client } from '../client/client.ts'

/** What the sending half of a producer needs of its client; tests put a scripted cluster in its place. */
export interface Cluster
  extends Pick<Client, 'sendTo' | 'sendOneWay' | 'versionOf' | 'retryBackoffMs' | 'retrying' | 'runtime' | 'logger'> {
  readonly options: Pick<Client['options'], 'requestTimeoutMs' | 'retries'>
  readonly metadata: Pick<Client['metadata'], 'topic' | 'leaderOf' | 'ensure' | 'refresh' | 'hint' | 'onChange' | 'track'>
}
