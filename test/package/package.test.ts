import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { build as bundle } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SOFTWARE_VERSION } from '../../src/net/software.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string
  exports: Record<string, string | { types: string; default: string }>
}
const subpaths = Object.keys(manifest.exports).filter(path => !path.endsWith('.json'))
/** What README.md promises. */
const [, leastTypeScript] = /TypeScript (\d+\.\d+) or newer/.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? []
const specifier = (subpath: string) => `kafkawire${subpath.slice(1)}`

let folder: string
const node = (code: string) => run(process.execPath, ['--input-type=module', '-e', code], { cwd: folder })

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kafkawire-package-'))
  // As in a fresh checkout.
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  await run('npm', ['pack', '--pack-destination', folder], { cwd: root })
  const filename = readdirSync(folder).find(name => name.endsWith('.tgz'))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'newcomer', private: true, type: 'module' }))
  const needed = [`./${filename}`, '@types/node@20', `typescript@~${leastTypeScript}.0`, '@bokuweb/zstd-wasm']
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...needed], { cwd: folder })
}, 240_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the packed package, installed in an empty folder', () => {
  test.each(subpaths)('%s can be imported and exports something', async subpath => {
    const { stdout } = await node(`console.log(Object.keys(await import('${specifier(subpath)}')).length)`)
    expect(Number(stdout)).toBeGreaterThan(0)
  })

  test('nothing but the listed subpaths can be imported', async () => {
    await expect(node(`await import('kafkawire/dist/index.js')`)).rejects.toThrow(/ERR_PACKAGE_PATH_NOT_EXPORTED/)
  })

  test('holds no sources, tests or local paths', async () => {
    const installed = join(folder, 'node_modules/kafkawire')
    expect(
      readdirSync(installed)
        .filter(name => !['dist', 'docs', 'node_modules'].includes(name))
        .sort(),
    ).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'])
    for (const name of readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' }).filter(file =>
      /\.(js|d\.ts)$/.test(file),
    ))
      expect(readFileSync(join(installed, 'dist', name), 'utf8').includes(root), `${name} names this machine's folder`).toBe(
        false,
      )
  })

  test('runs nothing when it is installed', () => {
    const { scripts } = JSON.parse(readFileSync(join(folder, 'node_modules/kafkawire/package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) expect(scripts).not.toHaveProperty(name)
  })

  test('its command line explains itself', async () => {
    const { stdout } = await run('npx', ['--no-install', 'kafkawire', '--help'], { cwd: folder })
    expect(stdout).toContain('kafkawire COMMAND')
  })

  test('runs where code generation from strings is forbidden', async () => {
    const { stdout } = await run(
      process.execPath,
      ['--disallow-code-generation-from-strings', '--input-type=module', '-e', roundTripOfMetadata],
      { cwd: folder },
    )
    expect(stdout.trim()).toBe('FROM_STRINGS_OK')
  })
})

describe('where Node has no zstd, large batches are the work of a thread', () => {
  const program = `
    import { randomBytes } from 'node:crypto'
    import { Kafka } from 'kafkawire'
    import { startBroker } from 'kafkawire/broker'
    const main = async () => {
      const broker = await startBroker({ topics: { orders: 1 } })
      const kafka = new Kafka({ bootstrapServers: broker.bootstrapServers })
      const producer = kafka.producer({ compression: 'zstd' })
      const value = randomBytes(300_000)
      await producer.send({ topic: 'orders', value })
      await producer.close()
      const consumer = kafka.consumer({ groupId: 'readers', autoOffsetReset: 'earliest' })
      consumer.subscribe(['orders'])
      for await (const record of consumer) {
        console.log(value.equals(record.value) ? 'the same' : 'something else')
        break
      }
      await consumer.close()
      await broker.close()
    }
    void main()
  `
  /** Tells of threads, and hides what newer versions of Node have. */
  const preload = `
    import { syncBuiltinESMExports } from 'node:module'
    import threads from 'node:worker_threads'
    import zlib from 'node:zlib'
    zlib.zstdCompressSync = undefined
    threads.Worker = class extends threads.Worker {
      constructor(...args) {
        super(...args)
        console.log('a thread')
        this.on('message', ({ output }) => console.log(output ? 'worked' : 'failed'))
      }
    }
    syncBuiltinESMExports()
  `
  const bundled = (format: 'esm' | 'cjs', file: string) =>
    bundle({
      stdin: { contents: program, resolveDir: folder },
      bundle: true,
      logLevel: 'error',
      format,
      platform: 'node',
      outfile: join(folder, file),
    })

  test.each([
    ['as installed', 'installed.mjs', (file: string) => writeFileSync(join(folder, file), program), tmpdir],
    ['bundled as a module', 'bundled.mjs', (file: string) => bundled('esm', file), tmpdir],
    ['bundled as CommonJS', 'bundled.cjs', (file: string) => bundled('cjs', file), () => folder],
  ] as const)('%s', async (_, file, make, cwd) => {
    await make(file)
    writeFileSync(join(folder, 'preload.mjs'), preload)
    const args = ['--import', pathToFileURL(join(folder, 'preload.mjs')).href, join(folder, file)]
    const { stdout } = await run(process.execPath, args, { cwd: cwd() })
    const lines = stdout.trim().split('\n')
    // One thread compresses for the producer and decompresses for the consumer.
    expect(lines).toEqual(['a thread', 'worked', 'worked', 'the same'])
  })
})

test('brokers are told the version that is published (KIP-511)', () => {
  expect(SOFTWARE_VERSION).toBe(manifest.version)
})

describe.each([
  ['the compiler of this project', () => root],
  [`TypeScript ${leastTypeScript}`, () => folder],
])('types for a consumer with strict settings and %s', (_, compilerHome) => {
  const typeCheck = async (file: string, more: object = { noEmit: true }): Promise<string> => {
    writeFileSync(
      join(folder, 'types/tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          target: 'es2023',
          lib: ['es2023', 'esnext.disposable'],
          module: 'nodenext',
          types: ['node'],
          strict: true,
          noUncheckedIndexedAccess: true,
          exactOptionalPropertyTypes: true,
          noImplicitOverride: true,
          skipLibCheck: false,
          rootDir: '.',
          ...more,
        },
        include: [file],
      }),
    )
    const { stdout } = await run(process.execPath, [join(compilerHome(), 'node_modules/typescript/bin/tsc'), '-p', 'types'], {
      cwd: folder,
    }).catch((error: { stdout: string }) => error)
    return stdout
  }

  test('every subpath type-checks, library declarations included', async () => {
    mkdirSync(join(folder, 'types'), { recursive: true })
    writeFileSync(
      join(folder, 'types/consumer.ts'),
      `${subpaths.map((subpath, i) => `import * as part${i} from '${specifier(subpath)}'`).join('\n')}
import { Kafka } from 'kafkawire'
import { type Decoded, decodeResponse, encodeRequest, Metadata } from 'kafkawire/protocol'
export const parts: object[] = [${subpaths.map((_, i) => `part${i}`).join(', ')}]
export const kafka = new Kafka({ bootstrapServers: 'localhost:9092' })
export const chunks: Uint8Array[] = encodeRequest(Metadata, 12, { correlationId: 1, clientId: null }, { topics: null })
export const answer = (frame: Buffer): Decoded<typeof Metadata.response> => decodeResponse(Metadata, 12, frame)
export const hosts = (frame: Buffer): string[] => answer(frame).brokers.map(({ host }) => host)
// @ts-expect-error: a field that does not exist is refused
encodeRequest(Metadata, 12, { correlationId: 1, clientId: null }, { tpoics: null })
`,
    )
    expect(await typeCheck('consumer.ts')).toBe('')
  })

  test('what public calls take and give can be named: the compiler writes it down for all of them', async () => {
    const places = {
      Client: 'client/client',
      Kafka: 'kafka',
      Producer: 'producer/producer',
      Consumer: 'consumer/consumer',
      Admin: 'admin/admin',
    }
    const ofMembers = (type: string, place: string, className = type) => {
      const text = readFileSync(join(folder, `node_modules/kafkawire/dist/types/${place}.d.ts`), 'utf8')
      const [, body = ''] = new RegExp(`class ${className}\\b.*?\\n(.*?)\\n}`, 's').exec(text) ?? []
      const members = [...body.matchAll(/^ {4}(static )?(?:get |readonly )?(\w+)[<(:?]/gm)].filter(
        ([, , name]) => name !== 'constructor',
      )
      expect(members.length).toBeGreaterThan(3)
      return [...new Set(members.map(([, isStatic, name]) => `(it: ${isStatic ? 'typeof ' : ''}${type}) => it.${name}`))]
    }
    const all = [
      ...Object.entries(places).flatMap(([type, place]) => [
        `(...given: ConstructorParameters<typeof ${type}>) => given`,
        ...ofMembers(type, place),
      ]),
      ...ofMembers('ClusterMetadata', 'client/metadata', 'Metadata'),
    ]
    writeFileSync(
      join(folder, 'types/named.ts'),
      `${subpaths.map((subpath, i) => `import * as part${i} from '${specifier(subpath)}'`).join('\n')}
import { ${Object.keys(places).join(', ')}, type ClusterMetadata } from 'kafkawire'
${all.map((member, i) => `export const member${i} = ${member}`).join('\n')}
`,
    )
    expect(await typeCheck('named.ts', { declaration: true, outDir: 'out' })).toBe('')
  })
})

describe('what a program pays for', () => {
  const bundleOf = async (contents: string) => {
    const { outputFiles } = await bundle({
      stdin: { contents, resolveDir: folder },
      bundle: true,
      minify: true,
      write: false,
      format: 'esm',
      platform: 'node',
      packages: 'bundle',
    })
    return outputFiles[0]!.text
  }

  test('one API and its codec bundle to at most 30 KB, without the other APIs', async () => {
    const text = await bundleOf(
      `import { decodeResponse, encodeRequest, Metadata } from 'kafkawire/protocol'; console.log(encodeRequest, decodeResponse, Metadata)`,
    )
    console.log(`one API with its codec: ${(text.length / 1000).toFixed(1)} KB minified`)
    expect(text.length).toBeLessThanOrEqual(30_000)
    expect(text).not.toContain('AlterPartitionReassignments')
  })

  test('one schema alone is small', async () => {
    const text = await bundleOf(`import { Metadata } from 'kafkawire/protocol'; console.log(Metadata.name)`)
    expect(text.length).toBeLessThanOrEqual(10_000)
  })

  test('the time to import the protocol is known', async () => {
    const times: number[] = []
    for (let i = 0; i < 5; i++) {
      const { stdout } = await node(
        `const t = performance.now(); await import('kafkawire/protocol'); console.log(performance.now() - t)`,
      )
      times.push(Number(stdout))
    }
    const median = times.sort((a, b) => a - b)[2]!
    console.log(`import('kafkawire/protocol'): ${median.toFixed(1)} ms`)
    expect(median).toBeGreaterThan(0)
  })
})

const roundTripOfMetadata = `
import { encodeRequest, decodeRequest, decodeRequestHeader, Metadata } from 'kafkawire/protocol'
const frame = Buffer.concat(encodeRequest(Metadata, 12, { correlationId: 1, clientId: 'me' }, { topics: [{ name: 'FROM_STRINGS_OK' }] })).subarray(4)
const { bodyOffset } = decodeRequestHeader(frame, () => 9)
console.log(decodeRequest(Metadata, 12, frame, bodyOffset).topics[0].name)
`
