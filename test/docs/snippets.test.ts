import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Broker, startBroker } from '../../src/broker/index.ts'
import { snippets } from './snippets.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const found = snippets().map((snippet, i) => ({ ...snippet, file: `snippet-${i}.ts` }))
let folder: string
let broker: Broker

beforeAll(async () => {
  broker = await startBroker({ defaultPartitions: 3 })
  // Inside the repository, so that packages resolve; `kafkawire` is the sources.
  mkdirSync(join(root, '.cache'), { recursive: true })
  folder = mkdtempSync(join(root, '.cache/snippets-'))
  for (const { code, file } of found)
    writeFileSync(join(folder, file), `${code.replaceAll('localhost:9092', broker.bootstrapServers)}\nexport {}\n`)
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../tsconfig.json',
      compilerOptions: {
        noUnusedLocals: false,
        paths: { kafkawire: ['../../src/index.ts'], 'kafkawire/*': ['../../src/*/index.ts'] },
      },
      include: ['*.ts'],
    }),
  )
})
afterAll(async () => {
  await broker.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('the programs in README.md and docs/', () => {
  test('there are some', () => {
    expect(found.filter(({ checkOnly }) => !checkOnly).length).toBeGreaterThan(0)
  })

  test('all of them type-check', { timeout: 60_000 }, async () => {
    const { stdout } = await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], {
      cwd: root,
    }).catch((error: { stdout: string }) => error)
    // The compiler names the copy; people look for the page.
    const named = stdout.replace(/\S*(snippet-\d+\.ts)\((\d+),\d+\)/g, (_, file: string, line: string) => {
      const { where } = found.find(snippet => snippet.file === file)!
      const [page, start] = where.split(':') as [string, string]
      return `${page}:${Number(start) + Number(line) - 1}`
    })
    expect(named).toBe('')
  })

  test.each(found.filter(({ checkOnly }) => !checkOnly))('$where runs', { timeout: 60_000 }, async ({ file }) => {
    await run(process.execPath, ['--import', 'tsx', join(folder, file)], {
      cwd: root,
      timeout: 45_000,
      env: { ...process.env, TSX_TSCONFIG_PATH: join(folder, 'tsconfig.json') },
    })
  })
})
