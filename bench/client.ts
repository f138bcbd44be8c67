/**
 * `npm run bench:client [-- --quick] [--json FILE]`: what connections and the client layer cost.
 * - round trips on one connection, pipelined 1, 16 and 256 deep, against an embedded broker in another process, for us and four
 *   peers, and for a bare socket, which is the most that can be had: wanted are twice the best peer's per second of CPU, and at
 *   depth 1 a p99 that is no greater
 * - cold metadata of 1,000 topics of 10 partitions: at most 100 ms of CPU
 * - routing a ListOffsets of 500 partitions over 3 brokers: at most 1 ms of CPU
 * - connection lifetimes in virtual time: at least 10,000 per second
 */
import { writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { clusterFigures } from './client/cluster-figures.ts'
import { lifetimes } from './client/lifetimes.ts'
import { BARE_SOCKET, DEPTHS, type RoundTrips, roundTrips } from './client/round-trips.ts'

const { values } = parseArgs({
  options: { json: { type: 'string' }, quick: { type: 'boolean', default: false }, rounds: { type: 'string' } },
})
const { quick } = values
const load = loadavg()[0] ?? 0
const verdict = (reached: boolean) => (reached ? 'reached' : 'NOT REACHED')
const thousands = (n: number) => n.toLocaleString('en-US')

const cluster = await clusterFigures(quick)
const { coldMetadataMs, firstColdMetadataMs, listOffsets500Ms, routing500Ms } = cluster
console.log(
  `cold metadata, 1,000 topics x 10 partitions: ${coldMetadataMs.toFixed(1)} ms of CPU (the very first ${firstColdMetadataMs.toFixed(1)}); at most 100: ${verdict(firstColdMetadataMs <= 100)}`,
)
console.log(
  `ListOffsets of 500 partitions over 3 brokers: ${listOffsets500Ms.toFixed(3)} ms of CPU, routing ${routing500Ms.toFixed(3)} of it; at most 1: ${verdict(routing500Ms <= 1)}`,
)
const virtual = await lifetimes(quick)
console.log(
  `connection lifetimes in virtual time: ${thousands(virtual.perSecond)} per second, ${thousands(virtual.perCpuSecond)} per CPU second; at least 10,000: ${verdict(virtual.perSecond >= 10_000)}${load > cpus().length && virtual.perSecond < 10_000 ? ' (on processors that others use)' : ''}`,
)

const rounds = Number(values.rounds ?? (quick ? 1 : 5))
const trips = await roundTrips({ rounds, measureMs: quick ? 300 : 700 })
console.log(
  `\n## round trips of FindCoordinator, medians of ${rounds}\n\n| deep | side | per second | per CPU second | p50, µs | p99, µs |\n|---|---|---|---|---|---|`,
)
for (const depth of DEPTHS)
  for (const row of trips.filter(row => row.depth === depth))
    console.log(
      `| ${depth} | ${row.side} | ${thousands(row.perSecond)} | ${thousands(row.perCpuSecond)} | ${row.p50Us} | ${row.p99Us} |`,
    )
console.log('')
for (const depth of DEPTHS) {
  const [own, ...others] = trips.filter(row => row.depth === depth)
  const peers = others.filter(({ side }) => side !== BARE_SOCKET)
  const bare = others.find(({ side }) => side === BARE_SOCKET)
  if (!own || !bare || peers.length === 0) continue
  const ratio = (pick: (row: RoundTrips) => number) => pick(own) / Math.max(...peers.map(pick))
  const best = Math.min(...peers.map(row => row.p99Us))
  const wanted = [
    `twice the best peer per CPU second: ${verdict(ratio(row => row.perCpuSecond) >= 2)}`,
    ...(depth === 1 ? [`a p99 no greater than any peer's: ${verdict(own.p99Us <= best)}`] : []),
  ]
  console.log(
    `${depth} deep: × ${ratio(row => row.perSecond).toFixed(2)} the best peer by the clock, × ${ratio(row => row.perCpuSecond).toFixed(2)} per CPU second; ` +
      `a bare socket × ${(bare.perSecond / Math.max(...peers.map(row => row.perSecond))).toFixed(2)} by the clock; p99 ${own.p99Us} µs, the best peer's ${best}; wanted: ${wanted.join(', ')}`,
  )
}
console.log(`${cpus().length} processors, ${load.toFixed(1)} processes at work on them when it began`)
if (values.json)
  writeFileSync(
    values.json,
    `${JSON.stringify({ node: process.version, cpus: cpus().length, load, rounds, ...cluster, virtual, trips }, null, 2)}\n`,
  )
