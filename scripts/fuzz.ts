/**
 * Feeds damaged bytes to everything that reads bytes of strangers: `npm run fuzz [-- --target messages --executions 2000000 --seed 7]`.
 * An execution follows from seed and number alone; the one that failed is run again by `--seed S --only N`.
 */
import { parseArgs } from 'node:util'
import { fuzzMessage } from '../test/protocol/message-fuzz.ts'
import { Random } from '../test/protocol/random-message.ts'
import { fuzzDecompression, fuzzRecords } from '../test/records/records-fuzz.ts'

/** One execution: throws, or rejects where it leaves the loop, unless the outcome is one of the allowed ones. */
type Target = (random: Random) => void | Promise<void>

export const targets: Readonly<Record<string, Target>> = {
  messages: fuzzMessage,
  records: fuzzRecords,
  decompression: fuzzDecompression,
}

/** How long one execution may take: hostile bytes must not keep us busy. */
const SLOW_MS = 2_000

/** Runs executions `first` … `first + count - 1` of a target. Rejects at the first that fails, naming it. */
export async function fuzz(name: string, seed: number, first: number, count: number): Promise<void> {
  const target = targets[name]
  if (!target) throw new Error(`no target ${name}: there are ${Object.keys(targets).join(', ')}`)
  for (let i = first; i < first + count; i++) {
    const started = performance.now()
    try {
      const left = target(new Random(Math.imul(seed, 0x9e3779b1) ^ i))
      if (left) await left
    } catch (cause) {
      throw new Error(`${name}: execution ${i} of seed ${seed} failed (--target ${name} --seed ${seed} --only ${i}): ${cause}`, {
        cause,
      })
    }
    const tookMs = performance.now() - started
    if (tookMs > SLOW_MS) throw new Error(`${name}: execution ${i} of seed ${seed} took ${Math.round(tookMs)} ms`)
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      target: { type: 'string' },
      executions: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      only: { type: 'string' },
    },
  })
  const seed = Number(values.seed)
  for (const name of values.target ? [values.target] : Object.keys(targets)) {
    if (values.only !== undefined) {
      await fuzz(name, seed, Number(values.only), 1)
      continue
    }
    const total = Number(values.executions)
    for (let done = 0; done < total; done += 50_000) {
      await fuzz(name, seed, done, Math.min(50_000, total - done))
      console.log(`${name}: ${Math.min(done + 50_000, total)} executions of seed ${seed}, no failure`)
    }
  }
}

if (process.argv[1] === import.meta.filename) await main()
