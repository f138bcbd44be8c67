/** Measures one side: `node side-process.ts MODULE MEASURE_MS [CASE …]`, a JSON line per case. */
import { pathToFileURL } from 'node:url'
import type { Side } from './rounds.ts'

const [, , module, measureMs, ...wanted] = process.argv
const side = ((await import(pathToFileURL(module!).href)) as { default: Side }).default

for (const [label, prepare] of Object.entries(side.cases)) {
  if (wanted.length > 0 && !wanted.includes(label)) continue
  const run = await prepare()
  console.log(JSON.stringify({ name: side.name, crc: side.crc ?? '', label, ns: await measure(run, Number(measureMs)) }))
}

/** Nanoseconds of processor time per operation: the fastest fifth of many slices, after as long a warm-up, so that neighbours' noise counts less. */
async function measure(run: (n: number) => unknown, milliseconds: number): Promise<number> {
  let n = 1
  for (let spent = 0; spent < milliseconds; ) {
    const took = await timed(run, n)
    spent += took
    if (took < milliseconds / 50) n *= 2
  }
  ;(globalThis as { gc?: () => void }).gc?.()
  const slices: number[] = []
  for (let spent = 0; spent < milliseconds; ) {
    const took = await timed(run, n)
    spent += took
    slices.push((took * 1e6) / n)
  }
  slices.sort((a, b) => a - b)
  return slices[Math.floor(slices.length / 5)]!
}

/**
 * Milliseconds on the processor, of all threads: a garbage collector or a thread pool at work is paid for too, and what else
 * runs on the machine does not count.
 */
async function timed(run: (n: number) => unknown, n: number): Promise<number> {
  const start = process.cpuUsage()
  // Peers that are asynchronous through and through are awaited once per slice, not per operation, beside what they await themselves.
  const running = run(n)
  if (running instanceof Promise) await running
  const { user, system } = process.cpuUsage(start)
  return Math.max(user + system, 1) / 1000
}
