import { createRequire } from 'node:module'
import { address, measure } from './round-trips.mjs'

const require = createRequire(import.meta.url)
const path = name => require(new URL(`../node_modules/kafka-ts/${name}`, import.meta.url).pathname)
const { Connection } = path('dist/connection.js')
const { FIND_COORDINATOR } = path('dist/api/find-coordinator/index.js')

const connection = new Connection({ clientId: 'bench', connection: address, connectTimeout: 5_000, requestTimeout: 30_000 })
await connection.connect()
await measure(
  `kafka-ts ${path('package.json').version}`,
  () => connection.sendRequest(FIND_COORDINATOR, { keyType: 0, keys: ['g'] }),
  () => connection.disconnect(),
)
