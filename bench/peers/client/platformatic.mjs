import { readFileSync } from 'node:fs'
import { Connection, findCoordinatorV6 } from '@platformatic/kafka'
import { address, depth, measure } from './round-trips.mjs'

const { version } = JSON.parse(readFileSync(new URL('../node_modules/@platformatic/kafka/package.json', import.meta.url), 'utf8'))
const connection = new Connection('bench', { connectTimeout: 5_000, requestTimeout: 30_000, maxInflights: depth })
await connection.connect(address.host, address.port)
await measure(
  `@platformatic/kafka ${version}`,
  () => findCoordinatorV6.api.async(connection, 0, ['g']),
  () => connection.close(),
)
