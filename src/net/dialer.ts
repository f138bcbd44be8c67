import { ConnectionError, type KafkaError, TimeoutError } from '../errors.ts'
import type { Runtime, Sink, TlsOptions, Transport } from '../runtime/runtime.ts'

export interface DialOptions {
  readonly host: string
  readonly port: number
  readonly tls?: TlsOptions | undefined
  /** For the name look-up and all addresses together. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/**
 * Opens a connection to the first address of the host that takes one (KIP-602). The time is shared out: an address that
 * does not answer leaves its part to the next ones. Rejects with ConnectionError or TimeoutError, outcome 'not-sent'.
 */
export async function dial(options: DialOptions, runtime: Runtime, sink: Sink): Promise<Transport> {
  const { host, port, timeoutMs, signal } = options
  const { clock, network } = runtime
  const end = clock.monotonic() + timeoutMs
  const addresses = await within(runtime, options, timeoutMs, () => network.resolve(host))
  if (addresses.length === 0) throw unreachable(options, new Error(`${host} has no address`))
  const failures: { address: string; error: Error }[] = []
  for (const [index, address] of addresses.entries()) {
    const left = Math.max(1, end - clock.monotonic())
    const share = index === addresses.length - 1 ? left : Math.ceil(left / (addresses.length - index))
    try {
      return await within(runtime, options, share, async attempt => {
        const transport = await network.dial({ address, port, host, tls: options.tls }, sink, attempt)
        if (attempt.aborted) transport.destroy()
        return transport
      })
    } catch (error) {
      if (signal.aborted) throw error
      failures.push({ address, error: error as Error })
    }
  }
  const last = failures.at(-1)!.error
  if (failures.length === 1) throw last
  const details = failures.map(({ address, error }) => `${address}: ${causeOf(error).message}`).join('; ')
  throw unreachable(options, causeOf(last), `none of its addresses answered (${details})`)
}

/** One step of the dialling: aborted, with an error that says so, when its time is up or the connection is destroyed. */
async function within<T>(
  { clock }: Runtime,
  options: DialOptions,
  timeoutMs: number,
  step: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { host, port, signal, tls } = options
  const attempt = new AbortController()
  const timeout = new TimeoutError(`connecting to ${host}:${port}`, Math.round(timeoutMs), {
    outcome: 'not-sent',
    hint: tls
      ? 'check the address, that no firewall drops the packets, and that the port speaks TLS'
      : 'check the address, and that no firewall drops the packets',
  })
  let fail: (error: unknown) => void = () => {}
  const stopped = new Promise<never>((_, reject) => {
    fail = reject
  })
  const stop = (reason: unknown) => {
    fail(reason)
    attempt.abort(reason)
  }
  const aborted = () => stop(signal.reason)
  const timer = clock.setTimer(timeoutMs, () => stop(timeout))
  signal.addEventListener('abort', aborted)
  try {
    if (signal.aborted) throw signal.reason
    return await Promise.race([step(attempt.signal), stopped])
  } catch (error) {
    throw error === timeout || error === signal.reason ? error : unreachable(options, error as Error)
  } finally {
    timer.cancel()
    signal.removeEventListener('abort', aborted)
  }
}

const causeOf = (error: Error): Error => (error instanceof ConnectionError && error.cause instanceof Error ? error.cause : error)

function unreachable({ host, port, tls }: DialOptions, cause: Error, what = cause.message): KafkaError {
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  return new ConnectionError(
    `cannot connect to ${host}:${port}: ${what}${advice(code, cause.message, tls !== undefined)}`,
    { host, port, outcome: 'not-sent' },
    // A certificate does not get better by asking again.
    { cause, retriable: !/CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code) },
  )
}

function advice(code: string, message: string, tls: boolean): string {
  switch (code) {
    case 'ECONNREFUSED':
      return ': check that the broker runs, and listens on that port'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return ': check the spelling of the host, and the name server'
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return ': check the network between here and the broker'
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_GET_ISSUER_CERT':
      return ': pass the certificate authority of the broker as tls.ca'
    case 'CERT_HAS_EXPIRED':
      return ": renew the broker's certificate"
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return ': connect by a name of the certificate, or set tls.servername to one'
  }
  if (!tls) return ''
  if (/wrong version number|packet length too long|unexpected message/i.test(message))
    return ': the port does not speak TLS; leave out the tls option, or use the TLS listener'
  return ': check that the port speaks TLS, and whether it asks for a client certificate (tls.cert, tls.key)'
}
