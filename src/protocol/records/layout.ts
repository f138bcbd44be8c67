/**
 * Where everything is. All integers are big-endian.
 *
 * A record batch, format 2 (Kafka 0.11, KIP-98). The checksum covers all that follows it, so that a broker can set the
 * offset and the leader epoch, which precede it, without computing it anew.
 *
 *      0           8        12       16    17      21    23       27          35          43         51       53       57       61
 *     ┌───────────┬────────┬────────┬─────┬───────┬─────┬────────┬───────────┬───────────┬──────────┬────────┬────────┬────────┬─────────
 *     │ base      │ length │ leader │magic│ crc32c│attri│ last   │ first     │ max       │ producer │producer│ base   │ count  │ records
 *     │ offset  8 │ after 4│ epoch 4│ 2  1│      4│butes│ delta 4│ time    8 │ time    8 │ id     8 │ epoch 2│ seq.  4│       4│ (maybe compressed)
 *     └───────────┴────────┴────────┴─────┴───────┴─────┴────────┴───────────┴───────────┴──────────┴────────┴────────┴────────┴─────────
 *
 *     attributes:  0–2 codec · 3 LogAppendTime · 4 transactional · 5 control · 6 delete horizon (KIP-534: first time is that horizon)
 *
 * A record inside it. Varints are zigzag; a length of -1 is null.
 *
 *     length varint · attributes 1 · time delta varlong · offset delta varint · key length varint · key · value length varint · value
 *     · header count varint · { key length varint · key · value length varint · value } …
 *
 * A message of formats 0 and 1 (until Kafka 0.10): the whole record set is a row of them. A compressed one wraps such a row.
 *
 *      0           8        12       16    17    18          (26)
 *     ┌───────────┬────────┬────────┬─────┬─────┬───────────┬────────────┬─────┬──────────────┬───────
 *     │ offset  8 │ length │ crc32 4│magic│attri│ time    8 │ key length │ key │ value length │ value
 *     │           │ after 4│        │0,1 1│butes│ format 1  │          4 │     │            4 │
 *     └───────────┴────────┴────────┴─────┴─────┴───────────┴────────────┴─────┴──────────────┴───────
 */

/** Common to all formats. `LENGTH` counts from `PREFIX` on. */
export const LENGTH = 8
export const PREFIX = 12
export const MAGIC = 16

export const LEADER_EPOCH = 12
export const CRC = 17
export const ATTRIBUTES = 21
export const LAST_OFFSET_DELTA = 23
export const FIRST_TIMESTAMP = 27
export const MAX_TIMESTAMP = 35
export const PRODUCER_ID = 43
export const PRODUCER_EPOCH = 51
export const BASE_SEQUENCE = 53
export const COUNT = 57
/** Size of the header, and where the records start. */
export const RECORDS = 61

export const CODEC_MASK = 0x07
export const LOG_APPEND_TIME = 0x08
export const TRANSACTIONAL = 0x10
export const CONTROL = 0x20
export const DELETE_HORIZON = 0x40

/** Seven fields of one byte each at least: bounds how many records some bytes can hold. */
export const LEAST_RECORD_BYTES = 7

export const LEGACY_CRC = 12
export const LEGACY_ATTRIBUTES = 17
export const LEGACY_TIMESTAMP = 18
/** Size of a format 0 message with null key and value, without its prefix; format 1 has a timestamp more. */
export const LEAST_LEGACY_BYTES = 14
