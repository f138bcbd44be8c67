/** Under which conditions a bench ran: kept with its figures, so that a later report of them says so too. */
import { cpus, loadavg } from 'node:os'

export interface Conditions {
  readonly machine: string
  readonly date: string
  readonly command: string
  /** How many processes had work on average in the minute before it began. */
  readonly load: number
}

/** `script` is the name of the npm script. */
export function conditions(script: string): Conditions {
  // Where the figures go changes none of them.
  const flags = process.argv.slice(2).filter((flag, i, all) => flag !== '--json' && all[i - 1] !== '--json')
  return {
    machine: `${cpus().length} × ${cpus()[0]?.model.trim()}`,
    date: new Date().toISOString().slice(0, 10),
    command: `npm run ${script}${flags.length > 0 ? ` -- ${flags.join(' ')}` : ''}`,
    load: loadavg()[0] ?? Number.NaN,
  }
}

export const described = ({ machine, date, command, load }: Conditions): string =>
  `${machine}, ${date}, \`${command}\`, begun under a load of ${load.toFixed(1)} processes`
