/** One header of a record. A record has an ordered list of them: keys may repeat, and null differs from empty. */
export interface RecordHeader {
  readonly key: string
  readonly value: Uint8Array | null
}
