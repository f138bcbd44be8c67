/**
 * Runs a piece of work at most once at a time, and once more if it was woken meanwhile: no wake-up is lost, and there
 * is never a second worker. Senders, fetchers and committers are one `Drain` each instead of a set of "is running" flags.
 */
export class Drain {
  private state: 'idle' | 'running' | 'again' = 'idle'
  private readonly work: () => void | Promise<void>
  private readonly failed: (error: unknown) => void

  /** `failed` receives what `work` throws; a woken round still follows. */
  constructor(work: () => void | Promise<void>, failed: (error: unknown) => void) {
    this.work = work
    this.failed = failed
  }

  wake(): void {
    if (this.state !== 'idle') {
      this.state = 'again'
      return
    }
    this.state = 'running'
    // In a microtask, so that many wake-ups of one turn become one round.
    void Promise.resolve().then(() => this.run())
  }

  private async run(): Promise<void> {
    do {
      this.state = 'running'
      try {
        await this.work()
      } catch (error) {
        this.failed(error)
      }
    } while (this.again())
    this.state = 'idle'
  }

  private again(): boolean {
    return this.state === 'again'
  }
}
