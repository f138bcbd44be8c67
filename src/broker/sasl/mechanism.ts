/** What a step of the exchange led to. A failure's text is for the client and never holds a secret. */
export type SaslStep =
  | { readonly kind: 'continue'; readonly reply: Uint8Array }
  | { readonly kind: 'done'; readonly reply: Uint8Array; readonly principal: string; readonly expiresAtMs?: number | undefined }
  | { readonly kind: 'failed'; readonly message: string }

/** The server's side of one exchange of one mechanism. */
export interface SaslExchange {
  step(token: Buffer): SaslStep | Promise<SaslStep>
}

export const nothing = new Uint8Array(0)
