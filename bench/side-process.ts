/** Measures one side: `node side-process.ts MODULE WARM_UP_MS MEASURE_MS [CASE …]`, a JSON line per case. */
import { pathToFileURL } from 'node:url'
import type { Side } from './rounds.ts'

const [, , module, warmUpMs, measureMs, ...wanted] = process.argv
const side = ((await import(pathToFileURL(module!).href)) as { default: Side }).default

// In the order in which they are wanted, the same for all sides: what ran before is what has been compiled.
for (const label of wanted.length > 0 ? wanted : Object.keys(side.cases)) {
  const prepare = side.cases[label]
  if (!prepare) continue
  const run = await prepare()
  console.log(JSON.stringify({ name: side.name, crc: side.crc ?? '', label, ns: await measure(run) }))
}

/** Nanoseconds of processor time per operation: all that was used over all that was done, garbage collection included. */
async function measure(run: (n: number) => unknown): Promise<number> {
  // Before the warm-up: a forced collection drops compiled code as well.
  ;(globalThis as { gc?: () => void }).gc?.()
  let n = 1
  for (let spent = 0; spent < Number(warmUpMs); ) {
    const took = await timed(run, n)
    spent += took
    if (took < Number(measureMs) / 50) n *= 2
  }
  let spent = 0
  let done = 0
  for (; spent < Number(measureMs); done += n) spent += await timed(run, n)
  return (spent * 1e6) / done
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
