/**
 * `npm run bench:protocol [-- --quick] [--json FILE]`: messages encoded and decoded, against peers and a codec written by
 * hand; what importing the protocol costs; what one API weighs in a bundle.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { peersInstalled, type Row, rounds, table } from './rounds.ts'

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, json: { type: 'string' } } })
const here = (path: string) => resolve(import.meta.dirname, path)
const pace = values.quick ? { rounds: 3, measureMs: 60 } : { rounds: 7, measureMs: 200 }
const own = [here('protocol/kafkawire.ts'), here('protocol/by-hand.ts')]
const peers = ['kafkajs', 'kafka-ts', 'kafkats', 'platformatic'].map(name => here(`peers/protocol/${name}.mjs`))

const rows: Row[] = []
for (const { node, sides } of [
  { node: peersInstalled(), sides: [...own, ...peers] },
  { node: process.execPath, sides: own },
]) {
  const measured = await rounds({ suite: 'protocol', sides, node, ...pace })
  rows.push(...measured)
  console.log(`\n## ${measured[0]!.node}\n\n${table(measured)}\n`)
}

const dist = here('../dist/protocol.js')
const cost = (code: string): { ms: number; mb: number }[] =>
  Array.from({ length: pace.rounds }, () =>
    JSON.parse(
      execFileSync(
        process.execPath,
        [
          '--input-type=module',
          '-e',
          `const rss = process.memoryUsage().rss, start = performance.now(); ${code}; console.log(JSON.stringify({ ms: performance.now() - start, mb: (process.memoryUsage().rss - rss) / 1e6 }))`,
        ],
        { encoding: 'utf8' },
      ),
    ),
  )
const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[numbers.length >> 1]!
const imported = cost(`await import('${dist}')`)
const first = cost(
  `const { codec, Metadata, Reader, Writer } = await import('${dist}'); const writer = new Writer(); codec(Metadata.response, 12).encode(writer, { brokers: [], topics: [] }); const bytes = writer.finish(); const begin = performance.now(); codec(Metadata.response, 12).decode(new Reader(bytes)); globalThis.cold = performance.now() - begin; console.error(globalThis.cold)`,
)
console.log(
  `import 'kafkawire/protocol': ${median(imported.map(each => each.ms)).toFixed(1)} ms, ${median(imported.map(each => each.mb)).toFixed(1)} MB of RSS over bare Node (built package, ${process.version})`,
)
void first

const bundle = await build({
  stdin: { contents: `export { Metadata, encodeRequest, decodeResponse } from '${dist}'`, resolveDir: here('..') },
  bundle: true,
  minify: true,
  write: false,
  format: 'esm',
  platform: 'node',
})
console.log(`one API bundled and minified: ${(bundle.outputFiles[0]!.contents.length / 1000).toFixed(1)} KB`)
if (values.json) writeFileSync(values.json, JSON.stringify(rows, null, 2))
