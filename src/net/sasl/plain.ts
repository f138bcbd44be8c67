import type { SaslAuthenticator, SaslSession } from './sasl.ts'
import { formsOf, revealed, type Secret } from './secret.ts'

export interface PlainOptions {
  readonly username: Secret
  readonly password: Secret
  /** Acts as this user, where the broker allows it. */
  readonly authorizationId?: string
}

/** PLAIN (RFC 4616): the password crosses the wire as it is, so use it over TLS only. */
export class Plain implements SaslAuthenticator {
  readonly mechanism = 'PLAIN'
  readonly #options: PlainOptions

  constructor(options: PlainOptions) {
    this.#options = options
  }

  async start(): Promise<SaslSession> {
    const { authorizationId = '' } = this.#options
    const username = await revealed(this.#options.username)
    const password = await revealed(this.#options.password)
    if ([authorizationId, username, password].some(part => part.includes('\0')))
      throw new Error('user and password must not contain a NUL character')
    const token = `${authorizationId}\0${username}\0${password}`
    return { first: Buffer.from(token), next: () => undefined, secrets: formsOf(password) }
  }
}
