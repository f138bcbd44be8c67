import { createHash, createHmac } from 'node:crypto'
import type { SaslAuthenticator, SaslContext, SaslSession } from './sasl.ts'
import { asked, formsOf } from './secret.ts'

export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

export interface AwsMskIamOptions {
  /** Taken from the broker's host name (`….kafka.<region>.amazonaws.com`) when absent. */
  readonly region?: string
  /** A function is asked at each authentication: what `@aws-sdk/credential-providers` returns fits. */
  readonly credentials: AwsCredentials | (() => AwsCredentials | Promise<AwsCredentials>)
  readonly userAgent?: string
  /** How long the broker accepts the signature. Default 900, the most that AWS allows. */
  readonly validSeconds?: number
}

const SERVICE = 'kafka-cluster'
const ACTION = 'kafka-cluster:Connect'
const ALGORITHM = 'AWS4-HMAC-SHA256'

/**
 * AWS_MSK_IAM of Amazon MSK: one JSON document with a pre-signed (Signature Version 4) request for `kafka-cluster:Connect`
 * on the broker's host, valid for 15 minutes unless told otherwise.
 */
export class AwsMskIam implements SaslAuthenticator {
  readonly mechanism = 'AWS_MSK_IAM'
  readonly #options: AwsMskIamOptions

  constructor(options: AwsMskIamOptions) {
    this.#options = options
  }

  async start({ host, runtime }: SaslContext): Promise<SaslSession> {
    const { credentials, userAgent = 'kafkawire', validSeconds = 900 } = this.#options
    const keys = typeof credentials === 'function' ? await asked(credentials) : credentials
    if (typeof keys?.accessKeyId !== 'string' || typeof keys.secretAccessKey !== 'string')
      throw new Error('there are no keys: give credentials, or return from it, { accessKeyId, secretAccessKey }')
    const region = this.#options.region ?? /\.kafka(?:-serverless)?\.([a-z0-9-]+)\.amazonaws\.com/.exec(host)?.[1]
    if (!region) throw new Error(`no AWS region can be read from '${host}': set sasl.region`)
    const signed = presigned({ host, region, keys, nowMs: runtime.clock.now(), validSeconds })
    const payload = { version: '2020_10_22', host, 'user-agent': userAgent, action: ACTION, ...signed }
    return {
      first: Buffer.from(JSON.stringify(payload)),
      next: () => undefined,
      secrets: [keys.secretAccessKey, keys.sessionToken ?? '', signed['x-amz-signature']!].flatMap(formsOf),
    }
  }
}

/** The query parameters of the signed request, in lower case, as the broker wants them. */
function presigned({
  host,
  region,
  keys,
  nowMs,
  validSeconds,
}: {
  host: string
  region: string
  keys: AwsCredentials
  nowMs: number
  validSeconds: number
}) {
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const scope = `${time.slice(0, 8)}/${region}/${SERVICE}/aws4_request`
  const parameters: Record<string, string> = {
    Action: ACTION,
    'X-Amz-Algorithm': ALGORITHM,
    'X-Amz-Credential': `${keys.accessKeyId}/${scope}`,
    'X-Amz-Date': time,
    'X-Amz-Expires': String(validSeconds),
    ...(keys.sessionToken ? { 'X-Amz-Security-Token': keys.sessionToken } : {}),
    'X-Amz-SignedHeaders': 'host',
  }
  const query = Object.entries(parameters)
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join('&')
  const canonical = ['GET', '/', query, `host:${host}`, '', 'host', sha256('')].join('\n')
  const toSign = [ALGORITHM, time, scope, sha256(canonical)].join('\n')
  const key = [time.slice(0, 8), region, SERVICE, 'aws4_request'].reduce<Buffer>(hmac, Buffer.from(`AWS4${keys.secretAccessKey}`))
  const { Action: _, ...rest } = parameters
  const lower = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name.toLowerCase(), value]))
  return { ...lower, 'x-amz-signature': hmac(key, toSign).toString('hex') } as Record<string, string>
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()
/** RFC 3986, which is stricter than encodeURIComponent. */
const encoded = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
