// Processes that never outlive the test run: ended by their own pid, whatever becomes of the runner.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

export interface ChildOptions {
  readonly command: string
  readonly args: readonly string[]
  /** stdout and stderr go here, appended. */
  readonly logFile: string
  /** Removed when the runner dies without cleaning up. */
  readonly directory: string
}

/** One broker or ZooKeeper process with a watcher beside it that kills it when the runner is gone. */
export class Child {
  readonly pid: number
  /** Resolves with how the process ended. */
  readonly exited: Promise<string>
  private readonly process: ChildProcess
  private readonly unwatch: () => void

  constructor({ command, args, logFile, directory }: ChildOptions) {
    const log = openSync(logFile, 'a')
    // In a session of its own: Ctrl-C at the terminal reaches the runner alone, which then closes in order or dies.
    this.process = spawn(command, args, { detached: true, stdio: ['ignore', log, log] })
    closeSync(log)
    this.pid = this.process.pid ?? 0
    this.unwatch = cleanUpAfterDeath('kill -KILL "$1"; rm -rf "$2"', [String(this.pid), directory])
    this.exited = new Promise(resolve => {
      const over = (how: string) => {
        this.unwatch()
        resolve(how)
      }
      this.process.once('error', error => over(error.message))
      this.process.once('exit', (code, signal) => over(signal ?? `exit code ${code}`))
    })
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null && this.pid > 0
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) this.process.kill(signal)
  }

  /** Ends the process: SIGTERM and, when that has no effect within `graceMs`, SIGKILL. Resolves when it is gone. */
  async end(graceMs: number): Promise<void> {
    if (graceMs === 0) this.signal('SIGKILL')
    else this.signal('SIGTERM')
    const timer = setTimeout(() => this.signal('SIGKILL'), graceMs)
    await this.exited
    clearTimeout(timer)
  }
}

/**
 * Runs a shell command (with `args` as $1 …) when this process dies in whatever way, until the function it returns is called.
 * A watcher process holds the other end of a pipe: a line on it means that all is well, its end without one that we are gone.
 */
export function cleanUpAfterDeath(command: string, args: readonly string[]): () => void {
  const watcher = spawn('sh', ['-c', `read line || { ${command}; }`, 'sh', ...args], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watcher.stdin?.on('error', () => {})
  watcher.unref()
  return () => watcher.stdin?.end('over\n')
}
