import type { Runtime } from '../../runtime/runtime.ts'
import type { BrokerOptions } from '../options.ts'

/** Authentication of one connection. */
export class SaslServer {
  readonly options: NonNullable<BrokerOptions['sasl']>
  readonly runtime: Runtime
  constructor(options: NonNullable<BrokerOptions['sasl']>, runtime: Runtime) {
    this.options = options
    this.runtime = runtime
  }
  admits(_apiKey: number): boolean {
    return true
  }
}
