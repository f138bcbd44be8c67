import { KafkaError } from '../../errors.ts'
import { nodeZlib, promised } from '../zlib.ts'
import type { Compressor, Job } from './codec.ts'
import { joined } from './pieces.ts'
import { type ZstdFrame, zstdFrames } from './zstd-frame.ts'

/** What serves where node:zlib has no zstd (Node before 22.15): the reference library as wasm, without an install script. */
const PACKAGE = '@bokuweb/zstd-wasm'

/** What is used of newer node:zlib, and of the package. */
interface ZstdOptions {
  readonly params?: Readonly<Record<number, number>>
  readonly chunkSize?: number
  readonly maxOutputLength?: number
}
type Callback = (error: Error | null, result: Buffer) => void
interface NodeZstd {
  zstdCompressSync(input: Uint8Array, options: ZstdOptions): Buffer
  zstdCompress(input: Uint8Array, options: ZstdOptions, callback: Callback): void
  zstdDecompressSync(input: Uint8Array, options: ZstdOptions): Buffer
  zstdDecompress(input: Uint8Array, options: ZstdOptions, callback: Callback): void
  readonly constants: { readonly ZSTD_c_compressionLevel: number }
}
interface WasmZstd {
  init(): Promise<void>
  compress(input: Uint8Array, level: number): Uint8Array
  decompress(input: Uint8Array, options: { defaultHeapSize: number }): Uint8Array
}

/** Java's default (KIP-390). */
const DEFAULT_LEVEL = 3
/** The size of the pieces in which node:zlib takes what comes out. */
const LEAST_CHUNK_BYTES = 64

/** Holds nothing, but does not say so. */
const EMPTY_FRAME = Buffer.from('28b52ffd0058010000', 'hex')

let loaded: Compressor | Promise<Compressor> | undefined

/** Asynchronous at first where the package has to be loaded. */
export function zstd(): Compressor | Promise<Compressor> {
  if (!loaded) {
    const zlib = nodeZlib()
    if (has(zlib)) return (loaded = fromNode(zlib))
    const loading = loadPackage()
    loaded = loading
    loading.then(
      compressor => (loaded = compressor),
      () => (loaded = undefined), // may be installed later
    )
  }
  return loaded
}

function has(module: object): module is NodeZstd {
  return typeof (module as Partial<NodeZstd>).zstdCompressSync === 'function'
}

function fromNode(node: NodeZstd): Compressor {
  return {
    compress(input, level = DEFAULT_LEVEL) {
      const options = { params: { [node.constants.ZSTD_c_compressionLevel]: level }, chunkSize: input.length + 1024 }
      return { inline: () => node.zstdCompressSync(input, options), pooled: () => promised(node.zstdCompress, input, options) }
    },
    decompress(input, maxBytes) {
      const frames = zstdFrames(input, maxBytes)
      // node:zlib ends with the first frame: each has a call of its own.
      const bytesOf = ({ start, end }: ZstdFrame) => input.subarray(start, end)
      const options = ({ mostBytes }: ZstdFrame) => ({
        maxOutputLength: Math.max(1, mostBytes),
        // A byte of room by which zlib sees that it needs no other piece.
        chunkSize: Math.max(LEAST_CHUNK_BYTES, mostBytes + 1),
      })
      return {
        inline() {
          const pieces = frames.map(frame => node.zstdDecompressSync(bytesOf(frame), options(frame)))
          return pieces.length === 1 ? pieces[0]! : Buffer.concat(allowed(pieces, maxBytes))
        },
        async pooled(_, inSteps) {
          const pieces: Buffer[] = []
          for (const frame of frames) pieces.push(await promised(node.zstdDecompress, bytesOf(frame), options(frame)))
          return inSteps(joined(allowed(pieces, maxBytes)))
        },
        mostBytes: boundOf(frames),
      }
    },
  }
}

async function loadPackage(): Promise<Compressor> {
  const name: string = PACKAGE // out of sight of bundlers: it is optional
  let wasm: WasmZstd
  try {
    wasm = (await import(name)) as WasmZstd
    if (!initialised(wasm)) await wasm.init()
  } catch (cause) {
    throw new KafkaError('ERR_MISSING_CODEC', `zstd needs Node 22.15 or newer, or a package: npm install ${PACKAGE}`, { cause })
  }
  // Where a bundler made CommonJS of this there is no import.meta, and the thread looks from the working folder.
  const module = import.meta.resolve?.(name) ?? name
  const job = <O>(
    name: 'compress' | 'decompress',
    work: (input: Uint8Array, options: O) => Uint8Array,
    input: Uint8Array,
    options: O,
  ): Job<Buffer> => {
    const inline = () => bufferOf(work(input, options))
    return {
      inline,
      async pooled(inThread) {
        const output = await inThread(module, name, input, options)
        return output ? bufferOf(output) : inline()
      },
    }
  }
  return {
    compress: (input, level = DEFAULT_LEVEL) => job('compress', wasm.compress, input, level),
    decompress(input, maxBytes) {
      const frames = zstdFrames(input, maxBytes)
      const mostBytes = boundOf(frames)
      // The package makes room for what the first frame says it holds, so of several the first is one that does not say.
      const several = frames.length !== 1 || frames[0]!.start > 0
      const bytes = several ? Buffer.concat([EMPTY_FRAME, input]) : input
      return { ...job('decompress', wasm.decompress, bytes, { defaultHeapSize: Math.max(1, mostBytes) }), mostBytes }
    },
  }
}

/** A second init() gives the package a second memory while its functions keep the first: what comes out is garbage. */
function initialised(wasm: WasmZstd): boolean {
  try {
    return wasm.compress(new Uint8Array(1), DEFAULT_LEVEL).length > 0
  } catch {
    return false
  }
}

const boundOf = (frames: readonly ZstdFrame[]): number => frames.reduce((sum, { mostBytes }) => sum + mostBytes, 0)

function allowed(pieces: readonly Buffer[], maxBytes: number): readonly Buffer[] {
  if (pieces.reduce((sum, { length }) => sum + length, 0) > maxBytes) throw new RangeError('more than allowed')
  return pieces
}

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
