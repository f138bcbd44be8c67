import { Connection } from '../../src/net/connection.ts'
import { FindCoordinator } from '../../src/protocol/apis/10-find-coordinator.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { silent } from '../../src/util/logger.ts'
import { address, depth, measure } from '../peers/client/round-trips.mjs'

const connection = new Connection(
  {
    ...address,
    clientId: 'bench',
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 30_000,
    maxResponseBytes: 100 << 20,
    maxInFlight: depth,
    logger: silent,
  },
  nodeRuntime,
)
await connection.connect()
await measure(
  'kafkawire',
  () => connection.request(FindCoordinator, { keyType: 0, coordinatorKeys: ['g'] }),
  () => connection.close(),
)
