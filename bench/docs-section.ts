/** Puts what a bench reports where docs/performance.md shows it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'

const PAGE = resolve(import.meta.dirname, '../docs/performance.md')

/** Replaces the section between the marks of `name`, or adds it at the end. */
export function replaceSection(name: string, section: string): void {
  const begin = `<!-- ${name} -->`
  const end = `<!-- /${name} -->`
  const text = readFileSync(PAGE, 'utf8')
  const from = text.indexOf(begin)
  const marked = `${begin}\n${section.trimEnd()}\n${end}`
  writeFileSync(
    PAGE,
    from < 0 ? `${text.trimEnd()}\n\n${marked}\n` : text.slice(0, from) + marked + text.slice(text.indexOf(end) + end.length),
  )
}
