import type { Clock } from '../../runtime/runtime.ts'
import { nothing, type SaslExchange, type SaslStep } from './mechanism.ts'

export type TokenCheck = (token: string) => { principal: string; expiresAtMs?: number } | undefined

/** RFC 7628. A refused token is answered with JSON first, and the exchange fails once the client has taken note. */
export class OAuthBearerExchange implements SaslExchange {
  private readonly check: TokenCheck
  private refused = false

  constructor(check: TokenCheck) {
    this.check = check
  }

  step(token: Buffer): SaslStep {
    if (this.refused) return { kind: 'failed', message: 'Authentication failed: {"status":"invalid_token"}' }
    const match = /^n,(?:a=[^,]*)?,\u0001(?:[^\u0001]*\u0001)*?auth=Bearer ([^\u0001]+)\u0001/i.exec(token.toString('utf8'))
    const accepted = match && this.check(match[1]!)
    if (!accepted) {
      this.refused = true
      return { kind: 'continue', reply: Buffer.from('{"status":"invalid_token"}') }
    }
    return { kind: 'done', reply: nothing, principal: accepted.principal, expiresAtMs: accepted.expiresAtMs }
  }
}

/** Takes an unsecured JWT (alg none) at its word, as Kafka's own default for tests does: subject and time of expiry. */
export function unsecuredJwt(clock: Clock): TokenCheck {
  return token => {
    try {
      const [header, claims] = token.split('.').map(part => JSON.parse(Buffer.from(part, 'base64url').toString('utf8') || 'null'))
      const { sub, exp } = (claims ?? {}) as { sub?: unknown; exp?: unknown }
      if (header?.alg !== 'none' || typeof sub !== 'string' || typeof exp !== 'number' || exp * 1000 <= clock.now())
        return undefined
      return { principal: sub, expiresAtMs: exp * 1000 }
    } catch {
      return undefined
    }
  }
}
