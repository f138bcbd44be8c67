import { expect, test } from 'vitest'
import { allApis } from '../../src/protocol/registry.ts'
import { runJava } from '../java/java.ts'

test("the client stays quiet for the throttle time from the version on from which Java's does (KIP-219)", async () => {
  // 3.9.2 forgot it in some newer APIs (their default was no): the newer release wins.
  const theirs = JSON.parse(await runJava('4.4.0', 'OracleThrottling.java')) as [key: number, version: number, quiet: boolean][]
  const judged = new Set<number>()
  for (const [key, version, quiet] of theirs) {
    const api = allApis.find(each => each.key === key)
    if (!api || !('throttleTimeMs' in api.response.shape)) continue
    judged.add(key)
    expect(version >= api.clientThrottlesSince, `${api.name} v${version}`).toBe(quiet)
  }
  expect(judged.size).toBeGreaterThan(60)
})
