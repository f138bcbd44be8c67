// Starts the broker of a suite once, and tells its files where it is.
import { appendFileSync } from 'node:fs'
import type { TestProject } from 'vitest/node'
import { type BrokerUnderTest, startChosen } from './choice.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    broker: BrokerUnderTest
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { close, ...broker } = await startChosen()
  project.provide('broker', broker)
  console.log(`on ${broker.description}`)
  // For scripts/test.ts, which names the brokers in its last lines.
  if (process.env.KAFKAWIRE_TEST_REPORT) appendFileSync(process.env.KAFKAWIRE_TEST_REPORT, `${broker.description}\n`)
  return () => close({ failed: project.vitest.state.getCountOfFailedTests() > 0 })
}
