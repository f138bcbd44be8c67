import { KafkaError } from '../../errors.ts'
import type { HttpResponse, Runtime } from '../../runtime/runtime.ts'
import { pause } from '../../util/abort-watch.ts'
import { backoffMs } from '../../util/backoff.ts'
import type { OAuthToken } from './oauthbearer.ts'
import { revealed, type Secret } from './secret.ts'

/** The client credentials grant of an OpenID Connect provider (KIP-768). */
export interface OidcOptions {
  readonly tokenEndpoint: string
  readonly clientId: string
  readonly clientSecret: Secret
  readonly scope?: string
  /** Further form fields, such as `audience`. */
  readonly parameters?: Readonly<Record<string, string>>
  /** Percent-encodes id and secret in the Authorization header, as RFC 6749 wants and some providers do not. Default false, as in Java. */
  readonly urlEncode?: boolean
  /** For one try. Default 10,000. */
  readonly timeoutMs?: number
}

const MAX_ATTEMPTS = 4

/** Fetches a token. Tries again, with backoff, when the provider cannot be reached or is overloaded. Rejects with ERR_AUTHENTICATION, or with the signal's reason. */
export async function clientCredentials(options: OidcOptions, runtime: Runtime, signal: AbortSignal): Promise<OAuthToken> {
  const request = { ...(await tokenRequest(options)), signal }
  // Its query may hold a key.
  const { origin, pathname } = new URL(options.tokenEndpoint)
  const endpoint = origin + pathname
  for (let attempt = 1; ; attempt++) {
    const askedAtMs = runtime.clock.now()
    let response: HttpResponse | undefined
    let reason = ''
    try {
      response = await runtime.http(request)
      if (response.status === 200) return tokenOf(response.body, endpoint, askedAtMs)
      // The body may repeat what we sent; the error code of RFC 6749 §5.2 is enough.
      reason = `it answered ${response.status}${oauthError(response.body)}`
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof KafkaError) throw error
      const cause = (error as Error).cause
      reason = cause instanceof Error ? cause.message : (error as Error).message
    }
    const passing = !response || response.status >= 500 || response.status === 429
    if (!passing || attempt === MAX_ATTEMPTS) {
      const advice = passing ? 'check that the endpoint can be reached' : 'check clientId, clientSecret and scope'
      throw new KafkaError('ERR_AUTHENTICATION', `no token from ${endpoint}: ${reason}: ${advice}`, {
        retriable: passing,
      })
    }
    const pauseMs = backoffMs(attempt, { baseMs: 100, maxMs: 10_000, random: runtime.random })
    await pause(runtime.clock, pauseMs, signal)
  }
}

async function tokenRequest({
  tokenEndpoint,
  clientId,
  clientSecret,
  scope,
  parameters,
  urlEncode,
  timeoutMs = 10_000,
}: OidcOptions) {
  const encoded = urlEncode ? encodeURIComponent : (text: string) => text
  const credentials = Buffer.from(`${encoded(clientId)}:${encoded(await revealed(clientSecret))}`).toString('base64')
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }), ...parameters })
  return {
    url: tokenEndpoint,
    method: 'POST' as const,
    headers: {
      accept: 'application/json',
      authorization: `Basic ${credentials}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: form.toString(),
    timeoutMs,
  }
}

function tokenOf(body: string, endpoint: string, askedAtMs: number): OAuthToken {
  const answer = parsed(body)
  const value = answer.access_token
  const lifeSeconds = Number(answer.expires_in)
  if (typeof value !== 'string' || value === '')
    throw new KafkaError(
      'ERR_AUTHENTICATION',
      `${endpoint} answered without an access_token: is it the token endpoint of the provider?`,
    )
  return { value, expiresAtMs: lifeSeconds > 0 ? askedAtMs + lifeSeconds * 1_000 : undefined }
}

function oauthError(body: string): string {
  const error = parsed(body).error
  return typeof error === 'string' && /^[a-z_]{1,60}$/.test(error) ? ` ${error}` : ''
}

function parsed(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
