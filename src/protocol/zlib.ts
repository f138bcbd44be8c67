import type * as zlib from 'node:zlib'

type Zlib = typeof zlib

let loaded: Zlib | undefined

/**
 * node:zlib, when something is first compressed or a format of old needs its checksum: Node's streams come with it, which is 3 MB and
 * 4 ms, a quarter of what importing the protocol would cost (bench/protocol.ts).
 */
export const nodeZlib = (): Zlib => (loaded ??= process.getBuiltinModule('node:zlib'))

/** What a function of node:zlib calls back with. Not util.promisify: importing node:util loads as much as node:zlib does. */
export const promised = <O>(
  work: (input: Uint8Array, options: O, done: (error: Error | null, result: Buffer) => void) => void,
  input: Uint8Array,
  options: O,
): Promise<Buffer> =>
  new Promise((resolve, reject) => work(input, options, (error, result) => (error ? reject(error) : resolve(result))))
