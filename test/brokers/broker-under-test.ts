import { inject } from 'vitest'
import type { BrokerUnderTest } from './choice.ts'

export type { BrokerUnderTest } from './choice.ts'

/** The broker this suite runs on: started once by global-setup.ts. */
export async function brokerUnderTest(): Promise<BrokerUnderTest> {
  return inject('broker')
}

/** A name no other test uses: every file of a suite shares one broker. */
export function uniqueName(subject: string): string {
  return `${subject}-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`
}

/** Whether the broker speaks the protocol of that release, such as `0.11`, or a newer one. Usable while tests are being collected. */
export function brokerIsAtLeast(release: string): boolean {
  const numbers = (version: string) => version.split('.').map(Number)
  const ours = numbers(inject('broker').version)
  for (const [i, wanted] of numbers(release).entries()) {
    const have = ours[i] ?? 0
    if (have !== wanted) return have > wanted
  }
  return true
}
