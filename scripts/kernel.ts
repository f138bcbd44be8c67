/** `npm run kernel:build`: compiles the AssemblyScript kernels into modules that hold their bytes. The built files are checked in. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import asc from 'assemblyscript/asc'

const ROOT = join(import.meta.dirname, '..')
/** Each source, and the module with its bytes beside it. */
export const KERNELS = [
  { source: 'src/protocol/records/kernel/kernel.as', built: 'src/protocol/records/kernel/kernel-bytes.ts' },
  { source: 'src/protocol/compression/lz/lz.as', built: 'src/protocol/compression/lz/lz-bytes.ts' },
] as const

const FLAGS = ['--runtime', 'stub', '--noAssert', '-O3', '--enable', 'simd', '--converge', '--initialMemory', '1']

/** The text of the module that holds a compiled kernel. The same source and compiler give the same text. */
export async function compileKernel(source: string): Promise<string> {
  let wasm: Uint8Array | undefined
  // The compiler knows no ending but .ts, which would make the sources part of the TypeScript program.
  const { error, stderr } = await asc.main(['kernel.ts', '-o', 'kernel.wasm', ...FLAGS], {
    readFile: name => (name === 'kernel.ts' ? readFileSync(join(ROOT, source), 'utf8') : null),
    writeFile: (_, contents) => void (wasm = contents as Uint8Array),
    listFiles: () => [],
  })
  if (error || !wasm) throw new Error(`${source} does not compile:\n${stderr.toString()}`, { cause: error })
  const lines =
    Buffer.from(wasm)
      .toString('base64')
      .match(/.{1,120}/g) ?? []
  return [
    `// Built from ${source.split('/').at(-1)} by \`npm run kernel:build\`; ${wasm.length} bytes.`,
    'export const WASM: string =',
    ...lines.map((line, i) => `  '${line}'${i < lines.length - 1 ? ' +' : ''}`),
    '',
  ].join('\n')
}

export const readBuilt = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  for (const { source, built } of KERNELS) {
    const text = await compileKernel(source)
    writeFileSync(join(ROOT, built), text)
    console.log(`${built}: ${text.split(' bytes')[0]!.split('; ').at(-1)} bytes of wasm`)
  }
