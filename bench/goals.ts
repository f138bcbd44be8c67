/** What was aimed at, beside what came: the figures of a run say themselves whether they reached it. */
export interface Goal {
  readonly what: string
  readonly aim: { readonly least: number } | { readonly most: number }
  /** Of both figures: `ms`, `MB`, or `×` what it is compared with. */
  readonly unit: string
  readonly came: number
  /** By name, where the unit is `× the best of …`. */
  readonly best?: string
}

export const isReached = ({ aim, came }: Pick<Goal, 'aim' | 'came'>): boolean =>
  'least' in aim ? came >= aim.least : came <= aim.most

export function goalsTable(goals: readonly Goal[]): string[] {
  return [
    '| what | aim | this run | |',
    '|---|---:|---:|---|',
    ...goals.map(goal => {
      const { what, aim, unit, best } = goal
      const wanted = 'least' in aim ? `≥ ${aim.least}` : `≤ ${aim.most}`
      return `| ${what} | ${wanted} ${unit} | ${figure(goal)} ${best ? `× ${best}` : unit} | ${isReached(goal) ? 'reached' : '**not reached**'} |`
    }),
  ]
}

/** Rounded, but never onto the other side of the aim. */
function figure({ aim, came }: Goal): string {
  const bound = 'least' in aim ? aim.least : aim.most
  for (let digits = bound < 10 ? 2 : 0; ; digits++) {
    const text = came.toFixed(digits)
    if (digits > 4 || isReached({ aim, came: Number(text) }) === isReached({ aim, came })) return text
  }
}
