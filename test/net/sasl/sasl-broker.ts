import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { type SaslAuthenticator, type SaslOptions, saslAuthenticator } from '../../../src/net/sasl/index.ts'
import { SaslAuthenticate, SaslHandshake } from '../../../src/protocol/apis/index.ts'
import type { Runtime } from '../../../src/runtime/runtime.ts'
import { SimulatedRuntime } from '../../../src/runtime/simulated/index.ts'
import { connectionTo } from '../connecting.ts'
import { answerTo, type Received, ScriptedBroker } from '../scripted-broker.ts'

/** The server's side of one mechanism, written apart from the client's. Throws to refuse. */
export type SaslExchange = (token: Buffer, step: number) => Uint8Array

/** A broker that serves nothing before SASL is through, and nothing but SASL once the session has expired (KIP-368). */
export class SaslBroker extends ScriptedBroker {
  mechanisms: Record<string, () => SaslExchange> = {}
  sessionLifetimeMs = 0
  authentications = 0
  /** Requests that came without a valid session. */
  readonly intruders: string[] = []
  /** Every token that came. */
  readonly tokens: Buffer[] = []
  refusal = (error: Error) => `Authentication failed: ${error.message}`
  private readonly world: Runtime

  constructor(runtime: Runtime) {
    super(runtime)
    this.world = runtime
    const sessions = new Map<number, { exchange: SaslExchange; step: number; validUntil: number; begunAt: number }>()
    this.script = received => {
      const { api, request, connection } = received
      const now = this.world.clock.monotonic()
      const session = sessions.get(connection)
      if (api === SaslHandshake) {
        const make = this.mechanisms[request.mechanism]
        if (!make) return answerTo(received, { errorCode: 33, mechanisms: Object.keys(this.mechanisms) })
        // As Kafka's KafkaChannel does it; what is not taken for a renewal is out of place.
        if (session && now - session.begunAt < 1_000) return answerTo(received, { errorCode: 34, mechanisms: [] })
        sessions.set(connection, { exchange: make(), step: 0, validUntil: -1, begunAt: now })
        return answerTo(received, { errorCode: 0, mechanisms: Object.keys(this.mechanisms) })
      }
      if (api === SaslAuthenticate) {
        if (!session) return answerTo(received, { errorCode: 34, errorMessage: 'no handshake', authBytes: Buffer.alloc(0) })
        const token = Buffer.from(request.authBytes)
        this.tokens.push(token)
        try {
          const authBytes = session.exchange(token, session.step++)
          session.validUntil = this.sessionLifetimeMs ? now + this.sessionLifetimeMs : Number.POSITIVE_INFINITY
          this.authentications++
          return answerTo(received, {
            errorCode: 0,
            errorMessage: null,
            authBytes,
            sessionLifetimeMs: BigInt(this.sessionLifetimeMs),
          })
        } catch (error) {
          return answerTo(received, { errorCode: 58, errorMessage: this.refusal(error as Error), authBytes: Buffer.alloc(0) })
        }
      }
      if (api.name === 'ApiVersions' && !session) return 'default'
      if (!session || now > session.validUntil) {
        this.intruders.push(api.name)
        return 'close'
      }
      return this.serve(received)
    }
  }

  serve: (received: Received) => ReturnType<ScriptedBroker['script']> = () => 'default'
}

export const plainServer = (username: string, password: string) => (): SaslExchange => token => {
  const [, user, secret] = token.toString().split('\0')
  if (user !== username || secret !== password) throw new Error('Invalid username or password')
  return Buffer.alloc(0)
}

/** RFC 5802, the server's part. */
export const scramServer =
  (digest: 'sha256' | 'sha512', username: string, password: string, { iterations = 4_096, lie = false, nonce = 'srv' } = {}) =>
  (): SaslExchange => {
    const salt = Buffer.from('0123456789abcdef')
    const hmac = (key: Uint8Array, text: string) => createHmac(digest, key).update(text).digest()
    let firstBare = ''
    let serverFirst = ''
    return (token, step) => {
      const text = token.toString()
      if (step === 0) {
        firstBare = text.replace(/^n,[^,]*,/, '')
        const { n, r } = Object.fromEntries(firstBare.split(',').map(part => [part[0], part.slice(2)]))
        if (n!.replaceAll('=2C', ',').replaceAll('=3D', '=') !== username) throw new Error('no such user')
        serverFirst = `r=${r}${nonce},s=${salt.toString('base64')},i=${iterations}`
        return Buffer.from(serverFirst)
      }
      const withoutProof = text.slice(0, text.lastIndexOf(',p='))
      const proof = Buffer.from(text.slice(text.lastIndexOf(',p=') + 3), 'base64')
      const authMessage = `${firstBare},${serverFirst},${withoutProof}`
      const salted = pbkdf2Sync(password, salt, iterations, digest === 'sha256' ? 32 : 64, digest)
      const storedKey = createHash(digest).update(hmac(salted, 'Client Key')).digest()
      const signature = hmac(storedKey, authMessage)
      const clientKey = Buffer.from(proof.map((byte, i) => byte ^ signature[i]!))
      if (!createHash(digest).update(clientKey).digest().equals(storedKey)) throw new Error('Invalid client credentials')
      return Buffer.from(`v=${hmac(hmac(salted, lie ? 'Other Key' : 'Server Key'), authMessage).toString('base64')}`)
    }
  }

/** RFC 7628: a refused token is answered by a JSON error, which the client acknowledges. */
export const bearerServer =
  (accepts: (token: string, fields: Record<string, string>) => boolean) => (): SaslExchange => (message, step) => {
    if (step > 0) throw new Error('invalid_token')
    const [header, ...rest] = message.toString().split('\x01')
    const fields = Object.fromEntries(
      rest.filter(Boolean).map(part => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]),
    )
    const token = fields.auth!.replace('Bearer ', '')
    return accepts(token, { ...fields, header: header! }) ? Buffer.alloc(0) : Buffer.from('{"status":"invalid_token"}')
  }

export interface World {
  readonly runtime: SimulatedRuntime
  readonly broker: SaslBroker
  connect(sasl: SaslOptions | SaslAuthenticator, changes?: Parameters<typeof connectionTo>[2]): ReturnType<typeof connectionTo>
}

/** Runs a test on virtual time, with a broker that wants SASL at `broker:9092`. */
export async function world(body: (world: World) => Promise<void>): Promise<void> {
  const runtime = new SimulatedRuntime()
  await runtime.run(async () => {
    const broker = new SaslBroker(runtime.on('broker'))
    await broker.listen({ host: 'broker', port: 9_092 })
    await body({
      runtime,
      broker,
      connect: (sasl, changes) =>
        connectionTo({ host: 'broker', port: 9_092 }, runtime, { authenticator: saslAuthenticator(sasl), ...changes }),
    })
    if (broker.faults.length > 0) throw broker.faults[0]
  })
}
