import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'

const program = join(import.meta.dirname, '../../examples/demo.ts')

/** The demo in a process of its own, with what it printed so far. */
function start(...args: string[]): {
  child: ChildProcess
  lines: string[]
  complaint(): string
  line(pattern: RegExp): Promise<void>
  exit: Promise<number | null>
} {
  const child = spawn(process.execPath, ['--import', 'tsx', program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: string[] = []
  let complaint = ''
  child.stderr!.on('data', chunk => {
    complaint += chunk
  })
  const reader = createInterface({ input: child.stdout! })
  reader.on('line', text => lines.push(text))
  return {
    child,
    lines,
    complaint: () => complaint,
    async line(pattern) {
      while (!lines.some(text => pattern.test(text))) await once(reader, 'line')
    },
    exit: once(child, 'close').then(([code]) => code as number | null),
  }
}

describe('the demo', { timeout: 60_000 }, () => {
  test('moves its records through the embedded broker and says so in JSON', async () => {
    const { lines, exit } = start('--records', '50000', '--json')
    expect(await exit).toBe(0)
    const figures = JSON.parse(lines.at(-1)!) as Record<string, unknown>
    expect(figures).toEqual({
      records: 50_000,
      produceSeconds: expect.any(Number),
      consumeSeconds: expect.any(Number),
      produceRecordsPerSecond: expect.any(Number),
      consumeRecordsPerSecond: expect.any(Number),
      maxLoopStallMs: expect.any(Number),
      broker: 'embedded',
      brokerVersion: expect.stringMatching(/^\d+\.\d+/),
      verified: true,
    })
    for (const [name, figure] of Object.entries(figures)) if (typeof figure === 'number') expect(figure, name).toBeGreaterThan(0)
  })

  test('leaves the group, deletes its topic and ends when Ctrl-C comes while it consumes', async () => {
    await using broker = await startBroker()
    const { child, lines, line, exit } = start('--records', '200000', '--bootstrap', broker.bootstrapServers)
    await line(/^joined the group/)
    const groupId = /^joined the group (\S+)/m.exec(lines.join('\n'))![1]!
    expect(broker.group(groupId)?.members).toHaveLength(1)
    child.kill('SIGINT')
    expect(await exit).toBe(130)
    expect(broker.group(groupId)?.members ?? []).toHaveLength(0)
  })

  test('says what is wrong with what it was told, and ends with 2 or 1', async () => {
    const senseless = start('--records', 'many')
    expect(await senseless.exit).toBe(2)
    expect(senseless.complaint()).toContain('--records many')
    const nobody = start('--bootstrap', '127.0.0.1:1')
    expect(await nobody.exit).toBe(1)
    // One line, without a stack, that says where and what to do.
    expect(nobody.complaint()).toMatch(/^cannot connect to 127\.0\.0\.1:1: .*check that the broker runs.*\n$/)
    const nowhere = start('--bootstrap', 'localhost:http')
    expect(await nowhere.exit).toBe(1)
    expect(nowhere.complaint()).toMatch(/^.*localhost:http.*host:port.*\n$/)
  })
})
