import { createRequire } from 'node:module'
import { address, depth, measure } from './round-trips.mjs'

const require = createRequire(import.meta.url)
const file = path => require(new URL(`../node_modules/kafkajs/src/${path}.js`, import.meta.url).pathname)
const Connection = file('network/connection')
const { createLogger } = file('loggers/index')
const findCoordinator = file('protocol/requests/findCoordinator/index').protocol({ version: '2' })

const connection = new Connection({
  ...address,
  logger: createLogger({ level: 1, logCreator: () => () => {} }),
  socketFactory: file('network/socketFactory')(),
  clientId: 'bench',
  connectionTimeout: 5_000,
  requestTimeout: 30_000,
  maxInFlightRequests: depth,
})
await connection.connect()
const { version } = require(new URL('../node_modules/kafkajs/package.json', import.meta.url).pathname)
await measure(
  `kafkajs ${version}`,
  () => connection.send(findCoordinator({ groupId: 'g' })),
  () => connection.disconnect(),
)
