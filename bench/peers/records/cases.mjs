import { batchOf, caseName, HEADLINES, recordsOf } from '../../records/cells.ts'

const sink = { total: 0 }
/** What is done with each decoded record, given how the peer names its parts. */
const uses = {
  'decode, records': record => {
    sink.total += record ? 1 : 0
  },
  'decode, key and value bytes': ({ key, value }) => {
    sink.total +=
      (typeof key === 'string' ? key.charCodeAt(0) : key[0]) + (typeof value === 'string' ? value.charCodeAt(0) : value[0])
  },
  'decode, value as string': ({ value }) => {
    sink.total += value.toString().length
  },
  'decode, value as JSON': ({ value }) => {
    sink.total += JSON.parse(value.toString()).id
  },
}

/**
 * The headline cases of a peer. `decode(bytes)` gives its records, or a promise of them; `encoder(records)` gives what encodes
 * them, in whatever form the peer wants them. `skip` names codecs that it has not.
 */
export function headlines({ decode, encoder, skip = [] }) {
  const cases = {}
  for (const [operation, cell] of HEADLINES) {
    // None of them has an index; their objects are made as they read.
    if (operation === 'decode, index only' || skip.includes(cell.codec)) continue
    cases[caseName(operation, cell)] = async () => {
      if (operation === 'encode') {
        const encode = encoder(recordsOf(cell))
        return awaited(encode, result => {
          sink.total += result.length
        })
      }
      const bytes = await batchOf(cell)
      const use = uses[operation]
      const count = (await decode(bytes)).length
      if (count !== cell.count) throw new Error(`${count} records, not ${cell.count}`)
      return awaited(
        () => decode(bytes),
        records => {
          for (let i = 0; i < records.length; i++) use(records[i])
        },
      )
    }
  }
  return cases
}

/** Awaits only where there is something to await. */
function awaited(work, use) {
  if (!(work() instanceof Promise))
    return n => {
      for (let i = 0; i < n; i++) use(work())
    }
  return async n => {
    for (let i = 0; i < n; i++) use(await work())
  }
}
