import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const FOLDER = resolve(import.meta.dirname, '../../.cache/oracle')

/** Prints the outcome of an oracle in one line and leaves it as JSON in `.cache/oracle/<name>.json`. */
export function report(name: string, outcome: { cells: number; differences: number; [more: string]: unknown }): void {
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(join(FOLDER, `${name}.json`), `${JSON.stringify(outcome, null, 2)}\n`)
  const numbers = Object.entries(outcome).filter(([, value]) => typeof value === 'number')
  process.stdout.write(`oracle ${name}: ${numbers.map(([key, value]) => `${value} ${key}`).join(', ')}\n`)
}
