// The package's own broker: in this process for quick tests, in a child process where its work must not share our loop.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Probe, untilReady } from './probe.ts'

const program = fileURLToPath(new URL('./embedded-process.ts', import.meta.url))

export class EmbeddedProcess {
  /** Starts the embedded broker in a child process. It ends with this process, whatever happens to it. */
  static async start(options: Readonly<Record<string, unknown>> = {}): Promise<EmbeddedProcess> {
    const child = fork(program, [JSON.stringify(options)], {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      detached: true,
    })
    const died = once(child, 'exit').then(([code, signal]) => ({
      error: `the embedded broker ended at start (${signal ?? code})`,
    }))
    const first = await Promise.race([
      once(child, 'message').then(([message]) => message as { bootstrapServers: string } | { error: string }),
      died,
    ])
    if ('error' in first) throw new Error(first.error)
    const [host, port] = first.bootstrapServers.split(',')[0]!.split(':') as [string, string]
    const probe = await untilReady([{ host, port: Number(port) }], { nodes: 1, timeoutMs: 10_000 })
    child.unref()
    child.channel?.unref()
    return new EmbeddedProcess(first.bootstrapServers, probe, async () => {
      child.ref()
      if (child.exitCode !== null || child.signalCode !== null) return
      child.disconnect()
      await once(child, 'exit')
    })
  }

  readonly bootstrapServers: string
  readonly probe: Probe
  /** Ends the broker in order; resolves when its process is gone. */
  readonly close: () => Promise<void>

  private constructor(bootstrapServers: string, probe: Probe, close: () => Promise<void>) {
    this.bootstrapServers = bootstrapServers
    this.probe = probe
    this.close = close
  }
}
