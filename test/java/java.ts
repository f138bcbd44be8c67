// Small Java programs beside the tests, run from source (`java -cp … Program.java`): Apache's own classes as judges.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { dirname, isAbsolute, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { javaClasspath, type KafkaRelease } from './jars.ts'

export {
  cacheDirectory,
  isKafkaRelease,
  javaClasspath,
  type KafkaRelease,
  kafkaJars,
  kafkaReleases,
  kafkaToolsClasspath,
} from './jars.ts'

const here = dirname(fileURLToPath(import.meta.url))
const sourcePath = (source: string) => (isAbsolute(source) ? source : join(here, source))

const jvmFlags = ['-Xmx512m', '-XX:ActiveProcessorCount=2', '-XX:+UseSerialGC', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn']

/** Whether a `java` of version 17 or newer is on the PATH. */
export async function javaVersion(): Promise<number | undefined> {
  try {
    const { stderr, stdout } = await promisify(execFile)('java', ['-version'])
    const major = /version "(?:1\.)?(\d+)/.exec(stderr + stdout)?.[1]
    return major === undefined ? undefined : Number(major)
  } catch {
    return undefined
  }
}

/**
 * Runs a Java program to its end and gives what it printed on stdout.
 * `source` is a path under test/java (`Console.java`) or an absolute one; a non-zero exit rejects with its stderr.
 */
export async function runJava(
  version: KafkaRelease,
  source: string,
  args: readonly string[] = [],
  options: { timeoutMs?: number; input?: string } = {},
): Promise<string> {
  const process = await JavaProcess.start(version, source, args)
  return process.toEnd(options.input, options.timeoutMs ?? 120_000)
}

/** Compiles a class for another program's class path, such as a plug-in of the broker, into `directory`. */
export async function compileJava(version: KafkaRelease, source: string, directory: string): Promise<void> {
  await promisify(execFile)('javac', ['-cp', await javaClasspath(version), '-d', directory, sourcePath(source)])
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
}

/**
 * A Java program that answers each line of JSON on stdin with one line of JSON on stdout, in order.
 * An answer `{"error": "…"}` rejects the question; what the program prints on stderr is kept for error texts.
 */
export class JavaProcess {
  /** Starts `source` (a path under test/java or an absolute one) with that release's jars on its class path. */
  static async start(version: KafkaRelease, source: string, args: readonly string[] = []): Promise<JavaProcess> {
    const child = spawn('java', [...jvmFlags, '-cp', await javaClasspath(version), sourcePath(source), ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    return new JavaProcess(child, source)
  }

  private readonly child: ChildProcess
  private readonly source: string
  private readonly waiting: Waiting[] = []
  private readonly lines: string[] = []
  private stderr = ''
  private failure: Error | undefined
  private readonly exited: Promise<number | null>

  private constructor(child: ChildProcess, source: string) {
    this.child = child
    this.source = source
    running.add(child)
    child.stderr?.on('data', chunk => {
      this.stderr = (this.stderr + chunk).slice(-20_000)
    })
    child.stdin?.on('error', () => {}) // EPIPE when the program died: reported by its exit
    this.exited = new Promise(resolve => {
      child.once('error', error => this.over(error, resolve, null))
      child.once('close', code => this.over(undefined, resolve, code))
    })
    if (child.stdout) createInterface({ input: child.stdout }).on('line', line => this.answer(line))
  }

  /** Sends one question and gives its answer. Questions may be asked ahead; answers keep their order. */
  ask<T = unknown>(question: unknown): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.failure) return reject(this.failure)
      this.waiting.push({ resolve: value => resolve(value as T), reject })
      this.child.stdin?.write(`${JSON.stringify(question)}\n`)
    })
  }

  /** Ends the program's input, waits for its end and gives everything it printed that answered no question. */
  async toEnd(input?: string, timeoutMs = 120_000): Promise<string> {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), timeoutMs)
    this.child.stdin?.end(input)
    const code = await this.exited
    clearTimeout(timer)
    if (code !== 0) throw new Error(`${this.source} ended with ${code ?? 'a signal'}:\n${this.stderr}`)
    return this.lines.join('\n')
  }

  /** Ends the program (by end of input; killed when it lingers for more than 5 s). Pending questions reject. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5_000)
    this.child.stdin?.end()
    await this.exited
    clearTimeout(timer)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private answer(line: string): void {
    const next = this.waiting.shift()
    if (!next) {
      this.lines.push(line)
      return
    }
    try {
      const value = JSON.parse(line) as { error?: string } | null
      if (value && typeof value === 'object' && typeof value.error === 'string')
        next.reject(new Error(`${this.source}: ${value.error}`))
      else next.resolve(value)
    } catch {
      next.reject(new Error(`${this.source} printed something that is not JSON: ${line.slice(0, 500)}`))
    }
  }

  private over(error: Error | undefined, resolve: (code: number | null) => void, code: number | null): void {
    running.delete(this.child)
    this.failure ??= new Error(`${this.source} is over (exit ${code}): ${error?.message ?? ''}\n${this.stderr}`, { cause: error })
    for (const waiting of this.waiting.splice(0)) waiting.reject(this.failure)
    resolve(code)
  }
}
