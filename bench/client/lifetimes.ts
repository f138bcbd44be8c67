/** How many whole connections (dial, negotiate, request, close) a simulation gets through in a second of real time. */
import { Connection } from '../../src/net/connection.ts'
import { FrameReader } from '../../src/net/frame-reader.ts'
import { FindCoordinator } from '../../src/protocol/apis/10-find-coordinator.ts'
import { ApiVersions } from '../../src/protocol/apis/18-api-versions.ts'
import { encodeResponse } from '../../src/protocol/frame.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { SimulatedRuntime } from '../../src/runtime/simulated/index.ts'
import { silent } from '../../src/util/logger.ts'
import { median } from './median.ts'

const open = (runtime: Runtime) =>
  new Connection(
    {
      host: 'broker',
      port: 9_092,
      clientId: 'bench',
      connectTimeoutMs: 5_000,
      requestTimeoutMs: 30_000,
      maxResponseBytes: 100 << 20,
      maxInFlight: 5,
      logger: silent,
    },
    runtime,
  )

/** A peer that costs next to nothing, so that what is measured is the simulation and the connection. */
export async function lifetimes(quick: boolean): Promise<{ perSecond: number; perCpuSecond: number }> {
  const count = quick ? 5_000 : 20_000
  const cpuRates: number[] = []
  const rates: number[] = []
  for (let round = 0; round < 5; round++) {
    const runtime = new SimulatedRuntime({ seed: round + 1, network: { jitterMs: 1, splitChance: 0.1 }, maxTraceEntries: 0 })
    const began = performance.now()
    const cpu = process.cpuUsage()
    await runtime.run(async () => {
      const apiKeys = [ApiVersions, FindCoordinator].map(({ key, request }) => ({
        apiKey: key,
        minVersion: 0,
        maxVersion: request.versions[1],
      }))
      await runtime.on('broker').network.listen({ host: 'broker', port: 9_092 }, transport => {
        return new FrameReader(
          {
            frame: ({ buffer }) => {
              const api = buffer.readInt16BE(0) === ApiVersions.key ? ApiVersions : FindCoordinator
              const answer =
                api === ApiVersions ? { errorCode: 0, apiKeys } : { errorCode: 0, nodeId: 0, host: '', port: 0, coordinators: [] }
              transport.write(encodeResponse(api, buffer.readInt16BE(2), buffer.readInt32BE(4), answer as never))
              return true
            },
            failed: error => transport.destroy(error),
            drained: () => {},
            closed: () => {},
          },
          1 << 20,
        )
      })
      await Promise.all(
        Array.from({ length: 50 }, async () => {
          for (let i = 0; i < count / 50; i++) {
            const connection = open(runtime)
            await connection.request(FindCoordinator, { keyType: 0, coordinatorKeys: ['g'] })
            await connection.close()
          }
        }),
      )
    })
    rates.push((count / (performance.now() - began)) * 1_000)
    const { user, system } = process.cpuUsage(cpu)
    cpuRates.push((count / (user + system)) * 1e6)
  }
  return { perSecond: Math.round(median(rates)), perCpuSecond: Math.round(median(cpuRates)) }
}
