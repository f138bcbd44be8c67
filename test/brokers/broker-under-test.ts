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
