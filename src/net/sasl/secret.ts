import { KafkaError } from '../../errors.ts'

/** A credential, or where to get it: asked at each authentication, so that it can be rotated. */
export type Secret = string | (() => string | Promise<string>)

export async function revealed(secret: Secret): Promise<string> {
  const text = typeof secret === 'function' ? await asked(secret) : secret
  if (typeof text !== 'string') throw new Error(`the function for the user or the secret gave ${typeof text}: return a string`)
  return text
}

/** A function of the user's failed to give a credential: unlike credentials that are wrong, this may pass. */
export class NoCredential extends Error {}

/** What a source of credentials gives: a vault, an identity provider. Rejects with NoCredential, or its own KafkaError. */
export async function asked<T>(source: () => T | Promise<T>): Promise<T> {
  try {
    return await source()
  } catch (cause) {
    if (KafkaError.is(cause)) throw cause
    throw new NoCredential(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

/** Forms in which a secret, or a token that holds one, could be echoed by a peer. */
export function formsOf(secret: string | Uint8Array): readonly string[] {
  const bytes = Buffer.from(secret as string)
  const text = bytes.toString()
  const json = JSON.stringify(text).slice(1, -1)
  // Without padding: with it, one that was cut off would not be found.
  const base64 = bytes.toString('base64').replace(/=+$/, '')
  return [
    text,
    json,
    // PHP and others escape slashes as well.
    json.replaceAll('/', '\\/'),
    encodeURIComponent(text),
    base64,
    bytes.toString('base64url'),
    bytes.toString('hex'),
  ]
}

/** A shorter secret is struck out as a word of its own only: as a part of words it is not told from the broker's own text. */
const SHORT = 4

/** Whatever the case: hexadecimal digits and percent encoding have none. */
export function struckOut(text: string, secrets: readonly string[]): string {
  // The longest first: of a text whose parts are gone the rest would stay.
  const long = [...secrets].filter(secret => secret.length > 0).sort((a, b) => b.length - a.length)
  if (long.length === 0) return text
  const literals = long.map(secret => {
    const literal = secret.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
    return secret.length < SHORT ? `(?<![A-Za-z0-9])${literal}(?![A-Za-z0-9])` : literal
  })
  return text.replace(new RegExp(literals.join('|'), 'gi'), '***')
}
