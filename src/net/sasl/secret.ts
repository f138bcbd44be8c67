/** A credential, or where to get it: asked at each authentication, so that it can be rotated. */
export type Secret = string | (() => string | Promise<string>)

export async function revealed(secret: Secret): Promise<string> {
  const text = typeof secret === 'function' ? await secret() : secret
  if (typeof text !== 'string') throw new Error(`the function for the user or the secret gave ${typeof text}: return a string`)
  return text
}

/** Forms in which a secret, or a token that holds one, could be echoed by a peer. */
export function formsOf(secret: string | Uint8Array): readonly string[] {
  const bytes = Buffer.from(secret as string)
  const text = bytes.toString()
  const hex = bytes.toString('hex')
  // Without padding: with it, one that was cut off would not be found.
  const base64 = bytes.toString('base64').replace(/=+$/, '')
  return [
    text,
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text),
    base64,
    bytes.toString('base64url'),
    hex,
    hex.toUpperCase(),
  ]
}

export function struckOut(text: string, secrets: readonly string[]): string {
  // The longest first: of a text whose parts are gone the rest would stay.
  const long = [...secrets].filter(secret => secret.length > 0).sort((a, b) => b.length - a.length)
  return long.reduce((result, secret) => result.replaceAll(secret, '***'), text)
}
