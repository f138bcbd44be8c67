import { CorruptRecordError } from '../../errors.ts'
import type { RecordBatch } from './batch.ts'

/** What a control record says: the end of a transaction, or an entry of the KRaft log. */
export type ControlRecord =
  | { readonly type: 'commit' | 'abort'; readonly coordinatorEpoch: number }
  | { readonly type: 'leader-change' | 'snapshot-header' | 'snapshot-footer' | 'kraft-version' | 'kraft-voters' | 'unknown' }

const TYPES = ['abort', 'commit', 'leader-change', 'snapshot-header', 'snapshot-footer', 'kraft-version', 'kraft-voters'] as const

/**
 * Reads record `i` of a control batch: its key is `version int16, type int16`, the value of a transaction marker
 * `version int16, coordinator epoch int32`. Types this version does not know are 'unknown': they are skipped.
 * @throws CorruptRecordError when key or value are too short.
 */
export function readControlRecord(batch: RecordBatch, i: number): ControlRecord {
  const key = batch.keyAt(i)
  if (!key || key.length < 4) throw damaged(batch, i)
  const type = TYPES[key.readInt16BE(2)] ?? 'unknown'
  if (type !== 'commit' && type !== 'abort') return { type }
  const value = batch.valueAt(i)
  if (!value || value.length < 6) throw damaged(batch, i)
  return { type, coordinatorEpoch: value.readInt32BE(2) }
}

function damaged(batch: RecordBatch, i: number): CorruptRecordError {
  const baseOffset = batch.offsetAt(i)
  return new CorruptRecordError(`the control record at offset ${baseOffset} is too short`, { baseOffset })
}

/** Key and value of the record that ends a transaction. */
export function endTransactionMarker(type: 'commit' | 'abort', coordinatorEpoch: number): { key: Uint8Array; value: Uint8Array } {
  const key = new Uint8Array(4)
  key[3] = TYPES.indexOf(type)
  const value = new Uint8Array(6)
  new DataView(value.buffer).setInt32(2, coordinatorEpoch)
  return { key, value }
}
