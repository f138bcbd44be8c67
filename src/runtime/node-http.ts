/** One small HTTP exchange: token endpoints and schema registries. */
import type { HttpRequest, HttpResponse } from './runtime.ts'

/** More than any token or schema; an endpoint that sends more is not the one that was meant. */
const MAX_BODY_BYTES = 8 << 20

/** Rejects with a plain Error when no complete answer came within `timeoutMs`. A redirect is an answer like any other. */
export async function nodeHttp({
  url,
  method = 'GET',
  headers = {},
  body,
  timeoutMs,
  signal,
}: HttpRequest): Promise<HttpResponse> {
  const timeout = AbortSignal.timeout(timeoutMs)
  const response = await fetch(url, {
    method,
    headers,
    // A followed redirect would hand the credentials to another host.
    redirect: 'manual',
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    ...(body === undefined ? {} : { body }),
  })
  return { status: response.status, body: await textOf(response) }
}

async function textOf(response: Response): Promise<string> {
  if (!response.body) return ''
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw new Error(`the answer is longer than ${MAX_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size).toString('utf8')
}
