import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Runtime } from '../../runtime/runtime.ts'
import type { SaslExchange, SaslStep } from './mechanism.ts'

const ITERATIONS = 4096
const SIZES = { sha256: 32, sha512: 64 } as const

type Digest = keyof typeof SIZES

/** RFC 5802 with SHA-256 or SHA-512, without channel binding. */
export class ScramExchange implements SaslExchange {
  private readonly users: Readonly<Record<string, string>>
  private readonly digest: Digest
  private readonly runtime: Runtime
  private firstBare = ''
  private serverFirst = ''
  private ownNonce = ''
  private user: string | undefined
  private salt: Buffer

  constructor(users: Readonly<Record<string, string>>, digest: Digest, runtime: Runtime) {
    this.users = users
    this.digest = digest
    this.runtime = runtime
    this.salt = Buffer.from(runtime.secureRandom(16))
  }

  step(token: Buffer): SaslStep | Promise<SaslStep> {
    const text = token.toString('utf8')
    return this.serverFirst === '' ? this.first(text) : this.final(text)
  }

  private first(text: string): SaslStep {
    const match = /^[ny],(?:a=[^,]*)?,(n=([^,]*),r=([^,]+)(?:,.*)?)$/.exec(text)
    if (!match) return { kind: 'failed', message: 'Authentication failed: malformed SCRAM message' }
    const [, bare, name, nonce] = match as unknown as [string, string, string, string]
    const user = name.replaceAll('=2C', ',').replaceAll('=3D', '=')
    if (!Object.hasOwn(this.users, user)) return this.denied()
    this.user = user
    this.firstBare = bare
    this.ownNonce = Buffer.from(this.runtime.secureRandom(18)).toString('base64url')
    this.serverFirst = `r=${nonce}${this.ownNonce},s=${this.salt.toString('base64')},i=${ITERATIONS}`
    return { kind: 'continue', reply: Buffer.from(this.serverFirst) }
  }

  private async final(text: string): Promise<SaslStep> {
    const match = /^(c=([^,]*),r=([^,]*)),p=([A-Za-z0-9+/=]+)$/.exec(text)
    const { digest, user } = this
    // Not the whole nonce: librdkafka before 2.2 repeats its own part, and Kafka looks at the end only.
    if (!match || user === undefined || !match[3]!.endsWith(this.ownNonce)) return this.denied()
    const password = Buffer.from(this.users[user]!.normalize('NFKC'))
    const salted = await this.runtime.offload.pbkdf2(password, this.salt, ITERATIONS, SIZES[digest], digest)
    const message = `${this.firstBare},${this.serverFirst},${match[1]}`
    const clientKey = hmac(digest, salted, 'Client Key')
    const storedKey = createHash(digest).update(clientKey).digest()
    const signature = hmac(digest, storedKey, message)
    const proof = Buffer.from(match[4]!, 'base64')
    if (proof.length !== signature.length) return this.denied()
    const offered = createHash(digest)
      .update(proof.map((byte, i) => byte ^ signature[i]!))
      .digest()
    if (!timingSafeEqual(offered, storedKey)) return this.denied()
    const serverSignature = hmac(digest, hmac(digest, salted, 'Server Key'), message)
    return { kind: 'done', reply: Buffer.from(`v=${serverSignature.toString('base64')}`), principal: user }
  }

  private denied(): SaslStep {
    const mechanism = this.digest === 'sha256' ? 'SCRAM-SHA-256' : 'SCRAM-SHA-512'
    return {
      kind: 'failed',
      message: `Authentication failed during authentication due to invalid credentials with SASL mechanism ${mechanism}`,
    }
  }
}

const hmac = (digest: Digest, key: Uint8Array, text: string): Buffer => createHmac(digest, key).update(text).digest()
