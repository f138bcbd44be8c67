/** Puts what a bench reports where docs/performance.md shows it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'

const PAGE = resolve(import.meta.dirname, '../docs/performance.md')

/** Replaces the section between the marks of `name`, or adds it at the end. */
export function replaceSection(name: string, section: string): void {
  writeFileSync(PAGE, withSection(readFileSync(PAGE, 'utf8'), name, section))
}

export function withSection(page: string, name: string, section: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const marked = `${begin}\n${section.trimEnd()}\n${end}`
  const from = page.indexOf(begin)
  if (from < 0) return `${page.trimEnd()}\n\n${marked}\n`
  return page.slice(0, from) + marked + page.slice(page.indexOf(end, from) + end.length)
}
