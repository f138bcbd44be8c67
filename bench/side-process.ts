/** Measures one side: `node side-process.ts MODULE MEASURE_MS [CASE …]`, a JSON line per case. */
import { pathToFileURL } from 'node:url'
import type { Side } from './rounds.ts'

const [, , module, measureMs, ...wanted] = process.argv
const side = ((await import(pathToFileURL(module!).href)) as { default: Side }).default

for (const [label, prepare] of Object.entries(side.cases)) {
  if (wanted.length > 0 && !wanted.includes(label)) continue
  const run = await prepare()
  console.log(JSON.stringify({ name: side.name, crc: side.crc ?? '', label, ns: measure(run, Number(measureMs)) }))
}

/** Nanoseconds per operation: the fastest fifth of many slices, after as long a warm-up, so that neighbours' noise counts less. */
function measure(run: (n: number) => unknown, milliseconds: number): number {
  let n = 1
  for (let spent = 0; spent < milliseconds; ) {
    const took = timed(run, n)
    spent += took
    if (took < milliseconds / 50) n *= 2
  }
  ;(globalThis as { gc?: () => void }).gc?.()
  const slices: number[] = []
  for (let spent = 0; spent < milliseconds; ) {
    const took = timed(run, n)
    spent += took
    slices.push((took * 1e6) / n)
  }
  slices.sort((a, b) => a - b)
  return slices[Math.floor(slices.length / 5)]!
}

function timed(run: (n: number) => unknown, n: number): number {
  const start = process.hrtime.bigint()
  run(n)
  return Number(process.hrtime.bigint() - start) / 1e6
}
