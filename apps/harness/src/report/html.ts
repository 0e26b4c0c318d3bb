import type { CheckResult } from '@penstock/testkit/conformance'
import { groupsOf, type PackageScore } from '../score.ts'
import { groupChart, ringChart, timeChart, timeText } from './charts.ts'
import { escapeMarkup } from './markup.ts'
import { pageStyle } from './style.ts'
import { sumsOf } from './terminal.ts'

const marks = { passed: '✔', failed: '✖', skipped: '–' } as const

/** A page that needs nothing else: no script, no request. */
export const scorecardHtml = (score: PackageScore): string => {
  const { name, version } = score.package
  const title = escapeMarkup(`${name} ${version}: conformance`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${pageStyle}</style>
</head>
<body>
<header>
<h1>${escapeMarkup(name)} <small>${escapeMarkup(version)}</small></h1>
<p>${escapeMarkup(score.connector)}, ${kindText[score.kind]}. ${sumsOf(score)} in ${timeText(score.durationMs)},
<time datetime="${score.startedAt}">${score.startedAt.slice(0, 16).replace('T', ' ')} UTC</time>, Node ${escapeMarkup(score.node)}.</p>
</header>
<main>
<section class="charts" aria-label="Charts">
<figure><figcaption>All checks</figcaption>${ringChart(score)}${legend}</figure>
<figure><figcaption>By subject</figcaption>${groupChart(score)}</figure>
<figure><figcaption>Longest checks</figcaption>${timeChart(score)}</figure>
</section>
${attention(score)}
${groupsOf(score)
  .map(
    (group) => `<section><h2>${escapeMarkup(group.name)}</h2>
<table><thead><tr><th scope="col">Result</th><th scope="col">Check</th><th scope="col" class="number">Time</th></tr></thead>
<tbody>${group.results.map(rowOf).join('')}</tbody></table></section>`,
  )
  .join('\n')}
</main>
</body>
</html>
`
}

const kindText = {
  source: 'a source',
  destination: 'a destination',
  'zero-copy': 'a zero-copy connector',
  actions: 'a set of actions',
} as const

const legend = `<ul class="legend">${(['passed', 'failed', 'skipped'] as const)
  .map((status) => `<li><span class="swatch ${status}" aria-hidden="true"></span>${status}</li>`)
  .join('')}</ul>`

/** What failed stands first; nothing where all is well. */
const attention = ({ results }: PackageScore): string => {
  const failed = results.filter(({ status }) => status === 'failed')
  if (failed.length === 0) return ''
  const items = failed.map(
    ({ id, reason }) =>
      `<li><a href="#${anchorOf(id)}">${escapeMarkup(id)}</a>: ${escapeMarkup(reason ?? '')}</li>`,
  )
  return `<section class="attention"><h2>Failed</h2><ul>${items.join('')}</ul></section>`
}

const anchorOf = (id: string): string => id.replace(/[^a-z0-9]+/gi, '-')

const rowOf = ({ id, title, status, reason, durationMs }: CheckResult): string =>
  `<tr id="${anchorOf(id)}"><td class="result ${status}"><span aria-hidden="true">${marks[status]}</span> ${status}</td>
<td><span class="title">${escapeMarkup(title)}</span> <code>${escapeMarkup(id)}</code>${
    reason === undefined ? '' : `<p class="reason">${escapeMarkup(reason)}</p>`
  }</td><td class="number">${timeText(durationMs)}</td></tr>`
