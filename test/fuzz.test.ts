import { expect, test } from 'vitest'
import { fuzz, targets } from '../scripts/fuzz.ts'

// `npm run fuzz` goes on where this ends.
const EXECUTIONS = 60_000

test.each(Object.keys(targets))(
  '%s: damaged bytes are refused, or read as something that can be written',
  { timeout: 120_000 },
  async name => {
    await fuzz(name, 1, 0, EXECUTIONS)
    expect(EXECUTIONS).toBeGreaterThan(50_000)
  },
)
