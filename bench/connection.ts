/**
 * `tsx bench/connection.ts [--quick] [--json FILE]`: one connection against an embedded broker in another process, requests
 * pipelined 1, 16 and 256 deep; and how many whole connections (dial, negotiate, request, close) a simulation gets through.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Connection } from '../src/net/connection.ts'
import { FrameReader } from '../src/net/frame-reader.ts'
import { FindCoordinator } from '../src/protocol/apis/10-find-coordinator.ts'
import { ApiVersions } from '../src/protocol/apis/18-api-versions.ts'
import { encodeResponse } from '../src/protocol/frame.ts'
import { nodeRuntime } from '../src/runtime/node.ts'
import type { Runtime } from '../src/runtime/runtime.ts'
import { SimulatedRuntime } from '../src/runtime/simulated/index.ts'
import { silent } from '../src/util/logger.ts'
import { EmbeddedProcess } from '../test/brokers/embedded.ts'

const { values } = parseArgs({ options: { json: { type: 'string' }, quick: { type: 'boolean' } } })
const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN

const open = (host: string, port: number, maxInFlight: number, runtime: Runtime) =>
  new Connection(
    {
      host,
      port,
      clientId: 'bench',
      connectTimeoutMs: 5_000,
      requestTimeoutMs: 30_000,
      maxResponseBytes: 100 << 20,
      maxInFlight,
      logger: silent,
    },
    runtime,
  )

interface RoundTrips {
  readonly depth: number
  readonly perSecond: number
  readonly perCpuSecond: number
  readonly p50Us: number
  readonly p99Us: number
}

async function roundTrips(host: string, port: number, depth: number): Promise<RoundTrips> {
  const connection = open(host, port, depth, nodeRuntime)
  await connection.connect()
  const request = { keyType: 0, coordinatorKeys: ['g'] }
  const burst = async (ms: number, times: number[]) => {
    const end = performance.now() + ms
    let count = 0
    await Promise.all(
      Array.from({ length: depth }, async () => {
        for (let now = performance.now(); now < end; ) {
          await connection.request(FindCoordinator, request)
          const then = performance.now()
          times.push(then - now)
          now = then
          count++
        }
      }),
    )
    return count
  }
  await burst(values.quick ? 300 : 1_000, [])
  const rates: number[] = []
  const cpuRates: number[] = []
  const times: number[] = []
  for (let round = 0; round < (values.quick ? 3 : 7); round++) {
    const from = performance.now()
    const cpu = process.cpuUsage()
    const count = await burst(values.quick ? 300 : 700, times)
    const { user, system } = process.cpuUsage(cpu)
    rates.push((count / (performance.now() - from)) * 1_000)
    cpuRates.push((count / (user + system)) * 1e6)
  }
  await connection.close()
  times.sort((a, b) => a - b)
  const at = (share: number) => Math.round((times[Math.floor(times.length * share)] ?? 0) * 1_000)
  return {
    depth,
    perSecond: Math.round(median(rates)),
    perCpuSecond: Math.round(median(cpuRates)),
    p50Us: at(0.5),
    p99Us: at(0.99),
  }
}

/** A peer that costs next to nothing, so that what is measured is the simulation and the connection. */
async function lifetimes(): Promise<number> {
  const count = values.quick ? 5_000 : 20_000
  const rates: number[] = []
  for (let round = 0; round < 5; round++) {
    const runtime = new SimulatedRuntime({ seed: round + 1, network: { jitterMs: 1, splitChance: 0.1 }, maxTraceEntries: 0 })
    const began = performance.now()
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
            const connection = open('broker', 9_092, 5, runtime)
            await connection.request(FindCoordinator, { keyType: 0, coordinatorKeys: ['g'] })
            await connection.close()
          }
        }),
      )
    })
    rates.push((count / (performance.now() - began)) * 1_000)
  }
  return Math.round(median(rates))
}

const broker = await EmbeddedProcess.start({ nodes: 1, topics: {} })
const [host, port] = broker.bootstrapServers.split(':') as [string, string]
const rows: RoundTrips[] = []
for (const depth of [1, 16, 256]) rows.push(await roundTrips(host, Number(port), depth))
await broker.close()
console.table(rows)
const lifetimesPerSecond = await lifetimes()
console.log(`${lifetimesPerSecond} simulated connection lifetimes per second`)
if (values.json)
  writeFileSync(values.json, `${JSON.stringify({ node: process.version, roundTrips: rows, lifetimesPerSecond }, null, 2)}\n`)
