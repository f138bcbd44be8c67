// The TypeScript blocks of README.md and docs/: programs that have to run.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Snippet {
  /** Page and line, such as `README.md:8`. */
  readonly where: string
  readonly code: string
  /** ` ```ts check `: type-checked, not run; for what needs a cluster with TLS, or never ends. */
  readonly checkOnly: boolean
}

const root = join(import.meta.dirname, '../..')

/** All ` ```ts ` blocks of README.md and docs/*.md. */
export function snippets(): Snippet[] {
  const pages = [
    'README.md',
    ...readdirSync(join(root, 'docs'))
      .filter(name => name.endsWith('.md'))
      .map(name => `docs/${name}`),
  ]
  return pages.flatMap(page => {
    const text = readFileSync(join(root, page), 'utf8')
    return [...text.matchAll(/^```ts( check)?\n([\s\S]*?)^```$/gm)].map(({ index, 1: check, 2: code }) => ({
      where: `${page}:${text.slice(0, index).split('\n').length + 1}`,
      code: code!,
      checkOnly: check !== undefined,
    }))
  })
}
