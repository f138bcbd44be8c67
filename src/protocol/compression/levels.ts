import { KafkaError } from '../../errors.ts'
import type { Codec } from './codec.ts'

/** Least and most level of the codecs that have any, and another one that stands for the default (KIP-390, as Kafka 3.8 has it). */
const LEVELS: Readonly<Partial<Record<Codec, readonly [least: number, most: number, byDefault?: number]>>> = {
  gzip: [1, 9, -1],
  lz4: [1, 17],
  zstd: [-131_072, 22],
}

/** What is wrong with a level for a codec, if anything. */
export function levelFault(codec: Codec, level: number | undefined): string | undefined {
  const levels = LEVELS[codec]
  if (level === undefined) return undefined
  if (!levels) return `has no meaning with compression '${codec}': leave it out`
  const [least, most, byDefault] = levels
  if ((Number.isInteger(level) && level >= least && level <= most) || level === byDefault) return undefined
  const otherwise = byDefault === undefined ? '' : `, or ${byDefault},`
  return `must be a whole number between ${least} and ${most}${otherwise} for ${codec}, not ${level}`
}

/** @throws KafkaError ERR_INVALID_ARGUMENT for a level that the codec does not have. */
export function checkLevel(codec: Codec, level: number | undefined): void {
  const fault = levelFault(codec, level)
  if (fault) throw new KafkaError('ERR_INVALID_ARGUMENT', `the compression level ${fault}`)
}
