/** A bar chart as an SVG that reads on light and dark pages. */
export interface Bars {
  readonly title: string
  readonly rows: readonly { readonly name: string; readonly note: string; readonly value: number; readonly own?: boolean }[]
}

const WIDTH = 900
const MARGIN = 8
const LABEL = 340
const ROW = 22

export function chart(caption: string, groups: readonly Bars[]): string {
  const lines: string[] = []
  let y = 24
  for (const { title, rows } of groups) {
    const most = Math.max(...rows.map(row => row.value))
    lines.push(`<text x="0" y="${y}" class="title">${escaped(title)}</text>`)
    y += 12
    for (const { name, note, value, own } of rows) {
      const length = Math.max(2, ((WIDTH - LABEL - 110) * value) / most)
      lines.push(
        `<text x="${LABEL - 8}" y="${y + 14}" text-anchor="end">${escaped(name)}${note && `<tspan dx="7" class="note">${escaped(note)}</tspan>`}</text>`,
        `<rect x="${LABEL}" y="${y + 2}" width="${length.toFixed(1)}" height="${ROW - 6}" rx="2" class="${own ? 'own' : 'peer'}"/>`,
        `<text x="${(LABEL + length + 6).toFixed(1)}" y="${y + 14}">${value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US')} ns</text>`,
      )
      y += ROW
    }
    y += 26
  }
  lines.push(`<text x="0" y="${y - 8}" class="note">${escaped(caption)}</text>`)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${-MARGIN} 0 ${WIDTH + 2 * MARGIN} ${y + MARGIN}" width="${WIDTH + 2 * MARGIN}" height="${y + MARGIN}" role="img">
<title>Record batches: nanoseconds per record, by client</title>
<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.note { font-size: 11px; fill: #6e7781 }
.own { fill: #1a7f5a }
.peer { fill: #a9b4c0 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .note { fill: #8d96a0 } .own { fill: #3fb68b } .peer { fill: #545d68 } }
</style>
${lines.join('\n')}
</svg>
`
}

const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;')
