import { Connection, type ConnectionOptions } from '../../src/net/connection.ts'
import type { SaslAuthenticator } from '../../src/net/sasl/index.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { SimulatedRuntime, type SimulationOptions } from '../../src/runtime/simulated/index.ts'
import type { Logger } from '../../src/util/logger.ts'
import { silent } from '../../src/util/logger.ts'
import { ScriptedBroker } from './scripted-broker.ts'

/** A connection with short timeouts to whatever listens on that port. */
export function connectionTo(
  { host = '127.0.0.1', port }: { host?: string; port: number },
  runtime: Runtime,
  changes: Partial<ConnectionOptions> = {},
): Connection {
  return new Connection(
    {
      host,
      port,
      clientId: 'test',
      connectTimeoutMs: 1_000,
      requestTimeoutMs: 2_000,
      maxResponseBytes: 10 << 20,
      maxInFlight: 5,
      logger: silent,
      ...changes,
    },
    runtime,
  )
}

export interface World {
  readonly runtime: SimulatedRuntime
  readonly broker: ScriptedBroker
  connect(changes?: Partial<ConnectionOptions>): Connection
}

/** Runs a test on virtual time, with a scripted broker at `broker:9092`. */
export async function simulated(
  body: (world: World) => Promise<void>,
  options: SimulationOptions & { authenticator?: SaslAuthenticator } = {},
): Promise<SimulatedRuntime> {
  const runtime = new SimulatedRuntime(options)
  await runtime.run(async () => {
    const broker = await new ScriptedBroker(runtime.on('broker')).listen({ host: 'broker', port: 9_092 })
    await body({
      runtime,
      broker,
      connect: changes => connectionTo({ host: 'broker', port: 9_092 }, runtime, changes),
    })
    if (broker.faults.length > 0) throw broker.faults[0]
  })
  return runtime
}

/** The error that a promise rejects with. */
export const failureOf = <E extends Error = Error>(promise: Promise<unknown>): Promise<E> =>
  promise.then(
    () => Promise.reject(new Error('it was expected to fail')),
    (error: E) => error,
  )

export const sleep = (runtime: Runtime, ms: number): Promise<void> =>
  new Promise(resolve => void runtime.clock.setTimer(ms, resolve))

/** A logger that keeps every line as text. */
export class RecordingLogger implements Logger {
  readonly lines: string[]
  constructor(lines: string[] = []) {
    this.lines = lines
  }
  debug = (fields: object, message: string) => this.note(fields, message)
  info = (fields: object, message: string) => this.note(fields, message)
  warn = (fields: object, message: string) => this.note(fields, message)
  error = (fields: object, message: string) => this.note(fields, message)
  child = () => this
  private note(fields: object, message: string): void {
    this.lines.push(
      `${message} ${Object.values(fields)
        .map(value => (value instanceof Error ? value.stack : String(value)))
        .join(' ')}`,
    )
  }
}
