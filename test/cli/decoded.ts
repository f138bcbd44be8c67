/** Runs `kafkawire decode` on files that tests write. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../../src/cli/decode.ts'

export interface Decoded {
  readonly code: number
  readonly text: string
}

export async function decode(...args: readonly string[]): Promise<Decoded> {
  const lines: string[] = []
  const code = await run(args, line => lines.push(line))
  return { code, text: lines.join('\n') }
}

export async function decodeFile(bytes: Uint8Array, ...args: readonly string[]): Promise<Decoded> {
  const folder = mkdtempSync(join(tmpdir(), 'kafkawire-decode-'))
  try {
    const path = join(folder, 'input')
    writeFileSync(path, bytes)
    return await decode(path, ...args)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
