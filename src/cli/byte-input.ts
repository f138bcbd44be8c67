/** The bytes that a file, standard input or words on the command line stand for: as they are, as hex digits or as a dump of them. */
import { existsSync, readFileSync } from 'node:fs'

export interface Input {
  readonly bytes: Buffer
  /** Why there may be more that is not in them. */
  readonly broken?: string
}

export function inputOf(words: readonly string[]): Input {
  const [first] = words
  if (first === undefined) return ofFile(readFileSync(0))
  if (!existsSync(first)) {
    if (/[^\s0-9a-fA-F]/.test(words.join(''))) throw new Error(`${first} is neither a file nor hex digits`)
    return ofHex(words.join(' '))
  }
  if (words.length > 1) throw new Error(`one file at a time: ${words.slice(1).join(' ')} follows ${first}`)
  return ofFile(readFileSync(first))
}

/** Enough to tell text from bytes: all of a huge input may exceed what a string can hold. */
const PROBED_BYTES = 4096
/** A frame in bytes begins with its length, hence with a zero byte or, from 16 MiB on, another that is no text. */
const TEXT = /^[\t\n\r\x20-\x7e]*$/
const HEX_START = /^\s*(?:[0-9a-fA-F]{2}\s?){4}/
/** `xxd`: an offset, a colon, groups of digits; two spaces in front of the characters. */
const XXD = /^([0-9a-fA-F]+): ((?:[0-9a-fA-F]{2,} ?)+)(?: .*)?$/
/** `hexdump -C` */
const HEXDUMP = /^([0-9a-fA-F]{8}) {2}((?:[0-9a-fA-F]{2} {1,2})+) *\|.*\|$/

function ofFile(bytes: Buffer): Input {
  const start = bytes.toString('latin1', 0, PROBED_BYTES)
  if (!TEXT.test(start) || !HEX_START.test(start)) return { bytes }
  const text = bytes.toString('latin1')
  const line = text.slice(0, text.search(/\r?\n|$/))
  const dump = [XXD, HEXDUMP].find(form => form.test(line))
  return dump ? ofDump(text, dump) : ofHex(text)
}

function ofHex(text: string): Input {
  const end = text.search(/[^\s0-9a-fA-F]/)
  const digits = (end < 0 ? text : text.slice(0, end)).replace(/\s+/g, '')
  const bytes = Buffer.from(digits, 'hex') // without half a byte at its end
  if (end >= 0) return { bytes, broken: `${JSON.stringify(text[end])} is no hex digit` }
  return digits.length % 2 === 0 ? { bytes } : { bytes, broken: `half a byte is left: there are ${digits.length} hex digits` }
}

function ofDump(text: string, form: RegExp): Input {
  const chunks: Buffer[] = []
  let size = 0
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const end = /^[0-9a-fA-F]*$/.test(line)
    if (end) continue // hexdump ends with the size alone
    const [, offset, digits] = form.exec(line) ?? []
    const bytes = Buffer.concat(chunks)
    if (offset === undefined || digits === undefined) return { bytes, broken: `line ${i + 1} is no line of the dump` }
    if (Number.parseInt(offset, 16) !== size)
      return { bytes, broken: `line ${i + 1} begins at byte 0x${offset}, not 0x${size.toString(16)}` }
    chunks.push(Buffer.from(digits.replaceAll(' ', ''), 'hex'))
    size += chunks.at(-1)!.length
  }
  return { bytes: Buffer.concat(chunks) }
}
