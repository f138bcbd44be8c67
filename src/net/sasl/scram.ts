import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Runtime } from '../../runtime/runtime.ts'
import type { SaslAuthenticator, SaslContext, SaslSession } from './sasl.ts'
import { formsOf, revealed, type Secret } from './secret.ts'

export interface ScramOptions {
  readonly username: Secret
  readonly password: Secret
  readonly authorizationId?: string
  /** User and password are the id and the HMAC of a delegation token (KIP-48). */
  readonly tokenAuth?: boolean
}

type Digest = 'sha256' | 'sha512'

/** RFC 5802, and what Kafka's brokers ask at least. */
const MIN_ITERATIONS = 4_096
/** A hostile broker could keep us hashing for hours. Kafka's tools allow 16,384. */
const MAX_ITERATIONS = 1_000_000

/**
 * SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802, RFC 7677): the password never crosses the wire, and the broker must prove
 * that it knows it as well. The password is prepared by SASLprep, as the RFC demands. Kafka's own tools store it
 * unprepared, which differs only beyond ASCII: so when a broker refuses the one form, the next connection uses the other.
 */
export class Scram implements SaslAuthenticator {
  readonly mechanism: string
  readonly #options: ScramOptions
  readonly #digest: Digest
  #form: 'prepared' | 'raw' = 'prepared'
  /** Salted passwords are costly to derive, and the same for each connection to a cluster. */
  readonly #salted = new Map<string, Buffer>()

  constructor(digest: Digest, options: ScramOptions) {
    this.#digest = digest
    this.#options = options
    this.mechanism = digest === 'sha256' ? 'SCRAM-SHA-256' : 'SCRAM-SHA-512'
  }

  async start({ runtime }: SaslContext): Promise<SaslSession> {
    const { authorizationId, tokenAuth } = this.#options
    const username = await revealed(this.#options.username)
    const given = await revealed(this.#options.password)
    const prepared = await saslPrepared(given, runtime)
    const form = this.#form
    const password = form === 'raw' ? given : prepared
    const nonce = Buffer.from(runtime.secureRandom(24)).toString('base64url')
    const header = authorizationId ? `n,a=${escaped(authorizationId)},` : 'n,,'
    const firstBare = `n=${escaped(username)},r=${nonce}${tokenAuth ? ',tokenauth=true' : ''}`
    let signature: Buffer | undefined

    const final = async (challenge: string): Promise<Buffer> => {
      const { nonce: serverNonce, salt, iterations } = serverFirst(challenge, nonce)
      const saltedPassword = await this.#saltedPassword(runtime, password, salt, iterations)
      const withoutProof = `c=${Buffer.from(header).toString('base64')},r=${serverNonce}`
      const authMessage = `${firstBare},${challenge},${withoutProof}`
      const clientKey = this.#hmac(saltedPassword, 'Client Key')
      const storedKey = createHash(this.#digest).update(clientKey).digest()
      const clientSignature = this.#hmac(storedKey, authMessage)
      const proof = clientKey.map((byte, i) => byte ^ clientSignature[i]!)
      signature = this.#hmac(this.#hmac(saltedPassword, 'Server Key'), authMessage)
      return Buffer.from(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`)
    }

    return {
      first: Buffer.from(header + firstBare),
      next: challenge => {
        const text = Buffer.from(challenge).toString('utf8')
        if (!signature) return final(text)
        verify(text, signature)
        return undefined
      },
      refused: () => {
        if (prepared === given) return false
        this.#form = form === 'raw' ? 'prepared' : 'raw'
        return form === 'prepared'
      },
      secrets: [...formsOf(given), ...formsOf(password)],
    }
  }

  async #saltedPassword(runtime: Runtime, password: string, salt: Buffer, iterations: number): Promise<Buffer> {
    const key = `${iterations} ${salt.toString('base64')} ${createHash('sha256').update(password).digest('base64')}`
    const known = this.#salted.get(key)
    if (known) return known
    const bytes = this.#digest === 'sha256' ? 32 : 64
    const derived = Buffer.from(await runtime.offload.pbkdf2(Buffer.from(password), salt, iterations, bytes, this.#digest))
    // One cluster, one salt; a few after the password has changed.
    if (this.#salted.size >= 8) this.#salted.clear()
    this.#salted.set(key, derived)
    return derived
  }

  #hmac(key: Uint8Array, text: string): Buffer {
    return createHmac(this.#digest, key).update(text).digest()
  }
}

const escaped = (name: string) => name.replaceAll('=', '=3D').replaceAll(',', '=2C')

/** ASCII, which is nearly every password, is its own prepared form. */
async function saslPrepared(password: string, { offload }: Runtime): Promise<string> {
  if (/^[\x20-\x7e]*$/.test(password)) return password
  const loading = import('@mongodb-js/saslprep')
  const { saslprep } = await (offload.loaded?.(loading) ?? loading)
  try {
    return saslprep(password)
  } catch {
    // It holds characters that SASLprep forbids: only a peer that does not prepare can know it.
    return password
  }
}

function attributes(message: string): Map<string, string> {
  return new Map(message.split(',').map(part => [part.slice(0, 1), part.slice(2)] as const))
}

function serverFirst(message: string, clientNonce: string): { nonce: string; salt: Buffer; iterations: number } {
  const parts = attributes(message)
  const error = parts.get('e')
  if (error) throw new Error(`the broker answered '${error}'`)
  if (parts.has('m')) throw new Error('the broker demands a SCRAM extension that does not exist yet')
  const nonce = parts.get('r') ?? ''
  const salt = parts.get('s') ?? ''
  const iterations = Number(parts.get('i'))
  if (!nonce.startsWith(clientNonce) || nonce.length === clientNonce.length)
    throw new Error("the broker's nonce does not extend ours: something between here and the broker replays messages")
  if (salt === '' || !/^[A-Za-z0-9+/]+=*$/.test(salt)) throw new Error('the broker sent no valid salt')
  if (!Number.isInteger(iterations) || iterations < MIN_ITERATIONS || iterations > MAX_ITERATIONS) {
    throw new Error(
      `the broker asks for ${parts.get('i')} iterations, outside ${MIN_ITERATIONS} to ${MAX_ITERATIONS}: store the credentials with a usual number`,
    )
  }
  return { nonce, salt: Buffer.from(salt, 'base64'), iterations }
}

function verify(message: string, expected: Buffer): void {
  const parts = attributes(message)
  const error = parts.get('e')
  if (error) throw new Error(`the broker answered '${error}': check user and password`)
  const signature = Buffer.from(parts.get('v') ?? '', 'base64')
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected))
    throw new Error('the broker could not prove that it knows the password: it is not the broker it claims to be')
}
