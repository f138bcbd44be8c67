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
  private readonly watcher: ChildProcess

  constructor({ command, args, logFile, directory }: ChildOptions) {
    const log = openSync(logFile, 'a')
    // In a session of its own: Ctrl-C at the terminal reaches the runner alone, which then closes in order or dies.
    this.process = spawn(command, args, { detached: true, stdio: ['ignore', log, log] })
    closeSync(log)
    this.pid = this.process.pid ?? 0
    // The watcher's stdin is a pipe to us. A line on it means that we ended the child ourselves; its end without one means that we died.
    const script = 'read line || { kill -KILL "$1"; rm -rf "$2"; }'
    this.watcher = spawn('sh', ['-c', script, 'sh', String(this.pid), directory], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    this.watcher.stdin?.on('error', () => {})
    this.watcher.unref()
    this.exited = new Promise(resolve => {
      const over = (how: string) => {
        this.watcher.stdin?.end('over\n')
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
