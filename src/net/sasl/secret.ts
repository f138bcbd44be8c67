/** A credential, or where to get it: asked at each authentication, so that it can be rotated. */
export type Secret = string | (() => string | Promise<string>)

export const revealed = async (secret: Secret): Promise<string> => (typeof secret === 'function' ? secret() : secret)

/** Forms in which a secret could be echoed by a peer. */
export const formsOf = (secret: string): readonly string[] => [
  secret,
  Buffer.from(secret).toString('base64'),
  Buffer.from(secret).toString('hex'),
  encodeURIComponent(secret),
]
