/** A credential, or where to get it: asked at each authentication, so that it can be rotated. */
export type Secret = string | (() => string | Promise<string>)

export async function revealed(secret: Secret): Promise<string> {
  const text = typeof secret === 'function' ? await secret() : secret
  if (typeof text !== 'string') throw new Error(`the function for the user or the secret gave ${typeof text}: return a string`)
  return text
}

/** Forms in which a secret could be echoed by a peer. */
export const formsOf = (secret: string): readonly string[] => [
  secret,
  Buffer.from(secret).toString('base64'),
  Buffer.from(secret).toString('hex'),
  encodeURIComponent(secret),
]
