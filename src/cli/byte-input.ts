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
/** What an editor or a shell of Windows writes in front of text; as the length of a frame it would be below zero. */
const BYTE_ORDER_MARKS = [
  ['efbbbf', 'latin1'],
  ['fffe', 'utf16le'],
] as const
/**
 * The dumps that are known: an offset, and behind it the digits. A group of digits can be read in one way only, so that a
 * line which is none of them is given up at once.
 */
const DUMPS = [
  /** `xxd`: groups of digits; two spaces in front of the characters. */
  /^([0-9a-fA-F]{1,16}): ((?:[0-9a-fA-F]{2})+(?: (?:[0-9a-fA-F]{2})+)*)(?: *| {2}.*)$/,
  /** `hexdump -C` */
  /^([0-9a-fA-F]{8,16}) {2}((?:[0-9a-fA-F]{2} {1,2})+) *\|.*\|$/,
  /** `od -A x -t x1` and `-t x1z` */
  /^([0-9a-fA-F]{6,7})((?: +[0-9a-fA-F]{2})+) *(?: {2}>.*<)?$/,
]
/** `xxd -b`: as many characters as groups. */
const BINARY_DIGITS = /^[0-9a-fA-F]+:((?: [01]{8})+) {2,}(.+)$/

function ofFile(file: Buffer): Input {
  const [bytes, encoding] = unmarked(file)
  const start = bytes.toString(encoding, 0, PROBED_BYTES)
  const line = start.slice(0, start.search(/\r?\n|$/))
  const dump = DUMPS.find(form => form.test(line))
  if (!TEXT.test(start) || !(dump || HEX_START.test(start))) return { bytes: file }
  const [, groups, characters] = BINARY_DIGITS.exec(line) ?? []
  if (groups !== undefined && characters!.length <= groups.length / 9)
    throw new Error('these are binary digits, as xxd -b prints them: give hex digits')
  const text = bytes.toString(encoding)
  return dump ? ofDump(text, dump) : ofHex(text)
}

function unmarked(file: Buffer): [bytes: Buffer, encoding: 'latin1' | 'utf16le'] {
  for (const [mark, encoding] of BYTE_ORDER_MARKS) {
    const size = mark.length / 2
    if (file.toString('hex', 0, size) === mark) return [file.subarray(size), encoding]
  }
  return [file, 'latin1']
}

function ofHex(text: string): Input {
  const end = text.search(/[^\s0-9a-fA-F]/)
  const digits = (end < 0 ? text : text.slice(0, end)).replace(/\s+/g, '')
  const bytes = Buffer.from(digits, 'hex') // without half a byte at its end
  if (end >= 0) return { bytes, broken: `${JSON.stringify(text[end])} is no hex digit` }
  return digits.length % 2 === 0 ? { bytes } : { bytes, broken: `half a byte is left: there are ${digits.length} hex digits` }
}

/** More than a stream of Kafka repeats, and little enough to be made of a few lines by mistake. */
const MOST_REPEATED_BYTES = 0x1000_0000

function ofDump(text: string, form: RegExp): Input {
  const chunks: Buffer[] = []
  let size = 0
  let repeats = false
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const until = (broken: string): Input => ({ bytes: Buffer.concat(chunks), broken: `line ${i + 1} ${broken}` })
    if (line === '') continue
    // The line before it again, up to the next offset.
    if (line === '*' && chunks.length > 0) {
      repeats = true
      continue
    }
    const [, offset, digits] = form.exec(line) ?? SIZE_ALONE.exec(line) ?? []
    if (offset === undefined) return until('is no line of the dump')
    const start = Number.parseInt(offset, 16)
    const row = chunks.at(-1)!
    if (repeats && start > size && start - size <= MOST_REPEATED_BYTES && (start - size) % row.length === 0) {
      chunks.push(Buffer.alloc(start - size, row))
      size = start
    }
    repeats = false
    if (start !== size) return until(`begins at byte 0x${offset}, not 0x${size.toString(16)}`)
    if (digits === undefined) continue
    chunks.push(Buffer.from(digits.replaceAll(' ', ''), 'hex'))
    size += chunks.at(-1)!.length
  }
  return repeats
    ? { bytes: Buffer.concat(chunks), broken: 'the dump ends in lines that it leaves out' }
    : { bytes: Buffer.concat(chunks) }
}

/** What hexdump and od end with. */
const SIZE_ALONE = /^([0-9a-fA-F]+)$/
