import { readFileSync } from 'node:fs'
import { Broker } from '@kafkats/client'
import { address, depth, measure } from './round-trips.mjs'

const { version } = JSON.parse(readFileSync(new URL('../node_modules/@kafkats/client/package.json', import.meta.url), 'utf8'))
// Its Connection is not exported; the Broker is what holds one.
const broker = new Broker({ ...address, nodeId: 1, clientId: 'bench', requestTimeoutMs: 30_000, maxInFlightRequests: depth })
await broker.connect()
await measure(
  `@kafkats/client ${version}`,
  () => broker.findCoordinator({ key: 'g', keyType: 0 }),
  () => broker.disconnect(),
)
