import type * as zlib from 'node:zlib'

type Zlib = typeof zlib

let loaded: Zlib | undefined

/**
 * node:zlib, when something is first compressed or a format of old needs its checksum: Node's streams come with it, which is 3 MB and
 * 4 ms, a quarter of what importing the protocol would cost (bench/protocol.ts).
 */
export const nodeZlib = (): Zlib => (loaded ??= process.getBuiltinModule('node:zlib'))
