import { nothing, type SaslExchange, type SaslStep } from './mechanism.ts'

/** RFC 4616: authorization identity, user and password, with NUL bytes between them. */
export class PlainExchange implements SaslExchange {
  private readonly users: Readonly<Record<string, string>>

  constructor(users: Readonly<Record<string, string>>) {
    this.users = users
  }

  step(token: Buffer): SaslStep {
    const parts = token.toString('utf8').split('\0')
    const [authorizationId, user, password] = parts
    if (parts.length !== 3 || !user || !password)
      return { kind: 'failed', message: 'Authentication failed: malformed PLAIN message' }
    if (authorizationId !== '' && authorizationId !== user)
      return {
        kind: 'failed',
        message: 'Authentication failed: Client requested an authorization id that is different from username',
      }
    if (!Object.hasOwn(this.users, user) || this.users[user] !== password)
      return { kind: 'failed', message: 'Authentication failed: Invalid username or password' }
    return { kind: 'done', reply: nothing, principal: user }
  }
}
