/**
 * The constructor that `Buffer.subarray` asks for a view. Called directly, with the memory at hand, it costs half as much
 * (bench/records.ts, key and value bytes; bench/protocol.ts, JoinGroup).
 */
export const { [Symbol.species]: View } = Buffer as unknown as {
  readonly [Symbol.species]: new (memory: ArrayBufferLike, start: number, size: number) => Buffer
}
