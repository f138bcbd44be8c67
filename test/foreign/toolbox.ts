// Clients of other makers, fetched by their own package managers into the cache when they are not installed.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'vitest'
import { cacheDirectory, javaClasspath, javaVersion } from '../java/java.ts'

export interface Program {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd?: string
}

const here = import.meta.dirname
const inCache = (...path: string[]) => join(cacheDirectory(), 'clients', ...path)

/** Pinned, so that a run of today and one of next year test the same. */
const KAFKA_PYTHON = 'kafka-python==3.0.12'
const KAFKAJS = 'kafkajs@2.2.4'

/** How to run each client; each throws with what is missing. */
export const clients = {
  async kcat(): Promise<Program> {
    for (const command of ['kcat', 'kafkacat']) {
      if (await succeeds(command, ['-V'])) return { command, args: [] }
    }
    throw new Error('kcat is not installed: apt-get install kcat')
  },

  async 'kafka-python'(): Promise<Program> {
    const home = inCache('kafka-python')
    const python = join(home, 'bin', 'python')
    if (!(await succeeds(python, ['-c', 'import kafka']))) {
      await must('python3', ['-m', 'venv', '--clear', home])
      await must(python, ['-m', 'pip', 'install', '-q', KAFKA_PYTHON])
    }
    return { command: python, args: [join(here, 'kafka_python.py')] }
  },

  async java(): Promise<Program> {
    if (((await javaVersion()) ?? 0) < 17) throw new Error('no java of version 17 or newer is on the PATH')
    const classpath = await javaClasspath('4.4.0')
    return { command: 'java', args: ['-Xmx256m', '-XX:+UseSerialGC', '-cp', classpath, join(here, 'JavaClient.java')] }
  },

  async kafkajs(): Promise<Program> {
    const home = inCache('kafkajs')
    if (!existsSync(join(home, 'node_modules', 'kafkajs'))) {
      mkdirSync(home, { recursive: true })
      await must('npm', ['install', '--prefix', home, '--no-audit', '--no-fund', '--silent', KAFKAJS])
    }
    return { command: process.execPath, args: [join(here, 'kafkajs.cjs'), join(home, 'node_modules', 'kafkajs')] }
  },

  async 'franz-go'(): Promise<Program> {
    const binary = inCache('franz-go', 'client')
    if (!existsSync(binary)) await must('go', ['build', '-o', binary, '.'], join(here, 'franz'))
    return { command: binary, args: [] }
  },
} as const

export type ClientName = keyof typeof clients

/** The client, or the end of the test: failed where KAFKAWIRE_FOREIGN=required, otherwise skipped with the reason. */
export async function clientFor(name: ClientName, context: TestContext): Promise<Program> {
  try {
    return await clients[name]()
  } catch (error) {
    const reason = `${name} is absent: ${(error as Error).message}`
    if (process.env.KAFKAWIRE_FOREIGN === 'required') throw new Error(reason)
    console.warn(reason)
    return context.skip(reason)
  }
}

/** Runs a program to its end and gives its output; rejects with what it printed when it fails or takes too long. */
export function run(
  { command, args, cwd }: Program,
  more: readonly string[] = [],
  options: { input?: string; timeoutMs?: number } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args, ...more], { stdio: 'pipe', ...(cwd !== undefined && { cwd }) })
    let output = '',
      errors = ''
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 60_000)
    child.stdout.setEncoding('utf8').on('data', chunk => (output += chunk))
    child.stderr.setEncoding('utf8').on('data', chunk => (errors += chunk))
    child.once('error', reject)
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      if (code === 0) resolve(output)
      else reject(new Error(`${command} ended with ${code ?? signal}:\n${errors.slice(-4000)}\n${output.slice(-4000)}`))
    })
  })
}

const succeeds = (command: string, args: readonly string[]): Promise<boolean> =>
  run({ command, args }).then(
    () => true,
    () => false,
  )

async function must(command: string, args: readonly string[], cwd?: string): Promise<void> {
  await run({ command, args, ...(cwd !== undefined && { cwd }) }, [], { timeoutMs: 280_000 })
}
