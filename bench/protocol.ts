/**
 * `npm run bench:protocol [-- --quick] [--json FILE]`: bodies of messages encoded and decoded, against four peers on Node 24, and on
 * both Nodes against a codec written by hand; what importing the protocol costs; what one API weighs in a bundle. A peer is
 * measured on the versions that it has. Nanoseconds of processor time. The JSON holds the messages only.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { Metadata } from '../src/protocol/apis/index.ts'
import { encodeResponse } from '../src/protocol/frame.ts'
import { metadataResponse } from './protocol/messages.ts'
import { peersInstalled, type Row, rounds, table } from './rounds.ts'

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, json: { type: 'string' } } })
const here = (path: string) => resolve(import.meta.dirname, path)
const pace = values.quick ? { rounds: 3, warmUpMs: 100, measureMs: 60 } : { rounds: 7 }
const own = [here('protocol/kafkawire.ts'), here('protocol/by-hand.ts')]
const peers = ['kafkajs', 'kafka-ts', 'kafkats', 'platformatic'].map(name => here(`peers/protocol/${name}.mjs`))

const nodes = [
  { node: peersInstalled(), sides: [...own, ...peers] },
  { node: process.execPath, sides: own },
]
// Import and bundle are those of what is published; the messages below go through the sources.
execFileSync(process.execPath, ['--import', 'tsx', here('../scripts/build.ts')], { stdio: ['ignore', 'ignore', 'inherit'] })
const dist = here('../dist/protocol.js')

/** Processes of their own that do nothing else: median milliseconds by the clock and on the processor, MB of RSS, and the milliseconds that `code` leaves in `cold`; it is given the number of the process. */
function fresh(node: string, code: (process: number) => string): Record<'ms' | 'cpu' | 'mb' | 'cold', number> {
  const script = (process: number) => `
    const usage = process.cpuUsage(), start = performance.now()
    let cold = 0
    ${code(process)}
    const ms = performance.now() - start, { user, system } = process.cpuUsage(usage)
    console.log(JSON.stringify({ ms, cpu: (user + system) / 1000, mb: process.memoryUsage.rss() / 1e6, cold }))`
  const samples = Array.from(
    { length: 2 * pace.rounds + 1 },
    (_, process): Record<string, number> =>
      JSON.parse(execFileSync(node, ['--input-type=module', '-e', script(process)], { encoding: 'utf8' })),
  )
  const median = (name: string) => samples.map(sample => sample[name]!).sort((a, b) => a - b)[samples.length >> 1]!
  return { ms: median('ms'), cpu: median('cpu'), mb: median('mb'), cold: median('cold') }
}

/**
 * The first answer that a process decodes: its codec is compiled meanwhile. It is the Metadata response of the cases, encoded elsewhere.
 * It makes 0.15 MB of objects, so that one process in four or so collects garbage meanwhile, for a millisecond: each process has
 * made another amount before, lest chance decide for all of them.
 */
function coldDecode(node: string): number {
  const frame = Buffer.concat(encodeResponse(Metadata, 12, 1, metadataResponse))
    .subarray(4)
    .toString('base64')
  return fresh(
    node,
    process => `const { Metadata, decodeResponse } = await import(${JSON.stringify(dist)})
    for (let kept = 0; kept < ${process}; kept++) new Array(8192).fill(kept)
    const frame = Buffer.from('${frame}', 'base64'), begin = performance.now()
    decodeResponse(Metadata, 12, frame)
    cold = performance.now() - begin`,
  ).cold
}

for (const { node } of nodes) {
  const bare = fresh(node, () => '')
  const loaded = fresh(node, () => `await import(${JSON.stringify(dist)})`)
  console.log(
    `${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()}: import 'kafkawire/protocol' ${loaded.ms.toFixed(1)} ms ` +
      `(${(loaded.cpu - bare.cpu).toFixed(1)} ms on the processor), ${(loaded.mb - bare.mb).toFixed(1)} MB of RSS over bare Node; ` +
      `first Metadata decode, cold, ${coldDecode(node).toFixed(2)} ms`,
  )
}

const bundle = await build({
  stdin: { contents: `export { Metadata, encodeRequest, decodeResponse } from '${dist}'`, resolveDir: here('..') },
  bundle: true,
  minify: true,
  write: false,
  format: 'esm',
  platform: 'node',
})
console.log(`one API bundled and minified: ${(bundle.outputFiles[0]!.contents.length / 1000).toFixed(1)} KB`)

const rows: Row[] = []
for (const { node, sides } of nodes) {
  const measured = await rounds({ suite: 'protocol', sides, node, ...pace })
  rows.push(...measured)
  console.log(`\n## ${measured[0]!.node}\n\n${table(measured)}\n`)
}
if (values.json) writeFileSync(values.json, JSON.stringify(rows, null, 2))
