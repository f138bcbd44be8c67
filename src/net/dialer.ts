import { ConfigError, ConnectionError, type KafkaError, TimeoutError } from '../errors.ts'
import type { Runtime, Sink, TlsOptions, Transport } from '../runtime/runtime.ts'
import { addressText } from '../util/address.ts'
import type { AddressOrder } from './address-order.ts'

export interface DialOptions {
  readonly host: string
  readonly port: number
  readonly tls?: TlsOptions | undefined
  /** For the name look-up and all addresses together. */
  readonly timeoutMs: number
  /** Learns which addresses cannot be reached. */
  readonly order: AddressOrder
}

/**
 * Opens a connection to the first address of the host that takes one (KIP-602). The time is shared out: an address that
 * does not answer leaves its part to the next ones.
 */
export class Dialer {
  private readonly options: DialOptions
  private readonly runtime: Runtime
  private cancelled: Error | undefined
  /** Stops the step that is under way. */
  private stop: ((reason: Error) => void) | undefined

  constructor(options: DialOptions, runtime: Runtime) {
    this.options = options
    this.runtime = runtime
  }

  /** Ends the dialling: `dial` rejects with `reason`, and leaves no socket behind. */
  cancel(reason: Error): void {
    this.cancelled = reason
    this.stop?.(reason)
  }

  /** Rejects with ConnectionError or TimeoutError, outcome 'not-sent', or ConfigError. */
  async dial(sink: Sink): Promise<Transport> {
    const { host, port, tls, timeoutMs, order } = this.options
    const { clock, network } = this.runtime
    const end = clock.monotonic() + timeoutMs
    const addresses = order.of(await this.within(timeoutMs, () => network.resolve(host)))
    if (addresses.length === 0) throw this.unreachable(new Error(`${host} has no address`))
    const failures: { address: string; error: Error }[] = []
    for (const [index, address] of addresses.entries()) {
      const left = Math.max(1, end - clock.monotonic())
      const share = index === addresses.length - 1 ? left : Math.ceil(left / (addresses.length - index))
      const attempt = new AbortController()
      try {
        return await this.within(
          share,
          async () => {
            const transport = await network.dial({ address, port, host, tls }, sink, attempt.signal)
            if (attempt.signal.aborted) transport.destroy()
            return transport
          },
          attempt,
        )
      } catch (error) {
        if (this.cancelled || error instanceof ConfigError) throw error
        order.failed(address)
        failures.push({ address, error: error as Error })
      }
    }
    const last = failures.at(-1)!.error
    if (failures.length === 1) throw last
    const details = failures.map(({ address, error }) => `${address}: ${causeOf(error).message}`).join('; ')
    throw this.unreachable(causeOf(last), `none of its addresses answered (${details})`)
  }

  /** One step of the dialling: given up, with an error that says so, when its time is up or the dialling is cancelled. */
  private within<T>(timeoutMs: number, step: () => Promise<T>, attempt?: AbortController): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.cancelled) return reject(this.cancelled)
      const timer = this.runtime.clock.setTimer(timeoutMs, () => stop(this.timeout(timeoutMs)))
      const stop = (reason: Error) => {
        timer.cancel()
        reject(reason)
        attempt?.abort(reason)
      }
      this.stop = stop
      step().then(
        value => {
          timer.cancel()
          resolve(value)
        },
        (error: Error) => {
          timer.cancel()
          reject(error instanceof ConfigError ? error : this.unreachable(error))
        },
      )
    })
  }

  private timeout(timeoutMs: number): TimeoutError {
    const { tls } = this.options
    return new TimeoutError(`connecting to ${addressText(this.options)}`, Math.round(timeoutMs), {
      outcome: 'not-sent',
      hint: `check the address, and that no firewall drops the packets${tls ? ', and that the port speaks TLS' : ''}`,
    })
  }

  private unreachable(cause: Error, what = cause.message): KafkaError {
    const { host, port, tls } = this.options
    const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
    return new ConnectionError(
      `cannot connect to ${addressText(this.options)}: ${what}${advice(code, cause.message, tls)}`,
      { host, port, outcome: 'not-sent' },
      // A certificate does not get better by asking again.
      { cause, retriable: !/CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(code) },
    )
  }
}

const causeOf = (error: Error): Error => (error instanceof ConnectionError && error.cause instanceof Error ? error.cause : error)

function advice(code: string, message: string, tls: TlsOptions | undefined): string {
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
      return tls?.ca === undefined
        ? ': pass the certificate authority of the broker as tls.ca'
        : ': what was given as tls.ca is not its certificate authority, or not PEM'
    case 'CERT_HAS_EXPIRED':
      return ": renew the broker's certificate"
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return ': connect by a name of the certificate, or set tls.servername to one'
    case 'ERR_TLS_CERT_REFUSED':
      return ': see what that function goes by'
  }
  if (!tls) return ''
  if (/wrong version number|packet length too long|unexpected message/i.test(message))
    return ': the port does not speak TLS; leave out the tls option, or use the TLS listener'
  return ': check that the port speaks TLS, and whether it asks for a client certificate (tls.cert, tls.key)'
}
