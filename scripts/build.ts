// npm run build: dist/ holds one ES module per subpath with the chunks they share, and dist/types the declarations.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { parse } from 'acorn'
import { transform } from 'esbuild'
import { type Plugin, rolldown } from 'rolldown'

const root = join(import.meta.dirname, '..')
const src = join(root, 'src')
const dist = join(root, 'dist')

const entries = {
  index: 'index.ts',
  protocol: 'protocol/index.ts',
  producer: 'producer/index.ts',
  consumer: 'consumer/index.ts',
  admin: 'admin/index.ts',
  broker: 'broker/index.ts',
  serde: 'serde/index.ts',
  runtime: 'runtime/index.ts',
  cli: 'cli/main.ts',
}

/**
 * Lets bundlers drop what a program does not use. A schema is an expression full of calls, which a bundler must keep unless it is told
 * that the whole has no effect: each top-level initialiser becomes one annotated call.
 */
const droppable: Plugin = {
  name: 'droppable',
  async load(path) {
    if (!path.startsWith(src)) return null
    const { code } = await transform(readFileSync(path, 'utf8'), { loader: 'ts', target: 'node20', sourcefile: path })
    return { code: withPureInitialisers(withoutNamespaceImports(code, path)), moduleType: 'js' }
  },
}

/** `import * as apis` makes a bundler keep every export behind a getter; a literal of named imports does not. */
function withoutNamespaceImports(code: string, path: string): string {
  return code.replace(/^import \* as (\w+) from "(\.\/apis\/index\.ts)";$/m, (_, name: string, target: string) => {
    const source = readFileSync(join(path, '..', target), 'utf8')
    const names = [...source.matchAll(/export \{([^}]+)\}/g)].flatMap(([, list]) =>
      list!
        .split(',')
        .map(entry => entry.trim())
        .filter(Boolean),
    )
    if (names.length === 0) throw new Error(`${target} exports nothing by name: build.ts cannot list it`)
    return `import { ${names.map(each => `${each} as ${name}$${each}`).join(', ')} } from "${target}";\nconst ${name} = { ${names.map(each => `${each}: ${name}$${each}`).join(', ')} };`
  })
}

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

/** Replaces what is between `at` and `until`. */
interface Edit {
  readonly at: number
  readonly until: number
  readonly text: string
}

/**
 * Of the APIs a program uses a few, and evaluating all their fields is most of what importing them costs: in
 * `api({ …, request: {…}, response: {…} })` and `message({ …, shape: {…} })` the fields are behind getters, which schema.ts reads once.
 */
function lazyFields(call: Node): Edit[] {
  if (call.type !== 'CallExpression' || !['api', 'message'].includes((call.callee as { name?: string }).name ?? '')) return []
  const [definition] = call.arguments as Node[]
  return ((definition?.properties ?? []) as Node[]).flatMap(property => {
    const { key, value } = property as unknown as { key?: { name: string }; value?: Node }
    if (value?.type !== 'ObjectExpression' || !['request', 'response', 'shape'].includes(key?.name ?? '')) return []
    return [
      { at: property.start, until: value.start, text: `get ${key!.name}() { return ` },
      { at: value.end, until: value.end, text: ' }' },
    ]
  })
}

function withPureInitialisers(code: string): string {
  const program = parse(code, { ecmaVersion: 'latest', sourceType: 'module' }) as unknown as { body: Node[] }
  const edits: Edit[] = []
  const wrap = ({ start, end }: Node) =>
    edits.push({ at: start, until: start, text: '/* @__PURE__ */ (() => (' }, { at: end, until: end, text: '))()' })
  for (const statement of program.body) {
    const declaration = (statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement) as Node | null
    if (declaration?.type === 'VariableDeclaration') {
      for (const { init } of declaration.declarations as { init: Node | null }[]) {
        if (!init || !calls(init)) continue
        edits.push(...lazyFields(init))
        wrap(init)
      }
    }
  }
  let out = code
  for (const { at, until, text } of edits.sort((a, b) => b.at - a.at)) out = out.slice(0, at) + text + out.slice(until)
  return out
}

/** Whether evaluating the expression calls anything: what is inside functions runs later. */
function calls(node: Node): boolean {
  if (/Function|^Class/.test(node.type)) return false
  if (/^(Call|New|TaggedTemplate|Member|Spread)/.test(node.type)) return true
  if (node.type === 'AwaitExpression') throw new Error('a module must not await while it loads')
  return Object.values(node).some(child =>
    (Array.isArray(child) ? child : [child]).some(
      each => each && typeof each === 'object' && 'type' in each && calls(each as Node),
    ),
  )
}

/**
 * Declarations import each other as `.ts` in the sources; published, they are `.js` beside `.d.ts`. Where the compiler writes a type
 * down itself, it says what memory bytes are in: nobody needs that, and before TypeScript 5.7 nobody can say it.
 */
function emitDeclarations(): void {
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  })
  const types = join(dist, 'types')
  for (const name of readdirSync(types, { recursive: true, encoding: 'utf8' })) {
    const file = join(types, name)
    if (!name.endsWith('.d.ts')) continue
    const text = readFileSync(file, 'utf8')
    writeFileSync(
      file,
      text
        .replace(/(from |import\()(['"])(\.{1,2}\/[^'"]+)\.ts\2/g, '$1$2$3.js$2')
        .replace(/\b(Uint8Array|Buffer)<ArrayBuffer(Like)?>/g, '$1'),
    )
  }
}

rmSync(dist, { recursive: true, force: true })
const bundle = await rolldown({
  input: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, join(src, file)])),
  platform: 'node',
  external: id => !id.startsWith('.') && !isAbsolute(id),
  treeshake: { moduleSideEffects: false },
  plugins: [droppable],
})
await bundle.write({
  dir: dist,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name]-[hash].js',
  // What importing costs is files and text, not schemas: the protocol is one module, without its comments (the types carry them).
  codeSplitting: { groups: [{ name: 'protocol', test: /\/src\/(protocol\/|errors\.ts)/ }] },
  comments: { annotation: true, jsdoc: false, legal: false },
})
emitDeclarations()
const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.js'))
const bytes = files.reduce((sum, name) => sum + statSync(join(dist, name)).size, 0)
console.log(`dist: ${files.length} modules, ${(bytes / 1024).toFixed(0)} KiB of JavaScript`)
