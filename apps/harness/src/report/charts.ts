import { formatDuration } from '@penstock/command-kit'
import type { CheckResult } from '@penstock/testkit/conformance'
import { countOf, groupsOf, type PackageScore } from '../score.ts'
import { escapeMarkup } from './markup.ts'

const statuses = ['passed', 'failed', 'skipped'] as const

const shareText = (results: readonly CheckResult[]): string =>
  statuses
    .map((status) => [countOf(results, status), status] as const)
    .filter(([count]) => count > 0)
    .map(([count, status]) => `${count} ${status}`)
    .join(', ')

/** A ring: the shares of all checks. */
export const ringChart = (score: PackageScore): string => {
  const total = Math.max(score.results.length, 1)
  let offset = 25
  const arcs = statuses.map((status) => {
    const share = (countOf(score.results, status) / total) * 100
    const arc = `<circle class="${status}" cx="21" cy="21" r="15.9155" pathLength="100" stroke-dasharray="${share.toFixed(2)} ${(100 - share).toFixed(2)}" stroke-dashoffset="${offset.toFixed(2)}"/>`
    offset -= share
    return share > 0 ? arc : ''
  })
  return `<svg class="ring" viewBox="0 0 42 42" role="img" aria-label="${shareText(score.results)}">${arcs.join('')}
  <text x="21" y="21.5">${score.passed}</text><text class="of" x="21" y="27">of ${score.results.length}</text></svg>`
}

/** A bar for each group of checks, by status. */
export const groupChart = (score: PackageScore): string => {
  const groups = groupsOf(score)
  const longest = Math.max(...groups.map(({ results }) => results.length), 1)
  const rows = groups.map(({ name, results }) => {
    const parts = statuses.map((status) => {
      const width = (countOf(results, status) / longest) * 100
      return width > 0 ? `<span class="${status}" style="width:${width.toFixed(2)}%"></span>` : ''
    })
    return barRow(name, parts.join(''), shareText(results))
  })
  return `<dl class="bars">${rows.join('')}</dl>`
}

/** How many of the slowest checks are shown. */
const slowest = 8

/** Bars of the checks that took longest. */
export const timeChart = ({ results }: PackageScore): string => {
  const shown = [...results].sort((a, b) => b.durationMs - a.durationMs).slice(0, slowest)
  const longest = Math.max(...shown.map(({ durationMs }) => durationMs), 1)
  const rows = shown.map(({ id, durationMs }) =>
    barRow(
      id,
      `<span class="time" style="width:${((durationMs / longest) * 100).toFixed(2)}%"></span>`,
      timeText(durationMs),
    ),
  )
  return `<dl class="bars">${rows.join('')}</dl>`
}

export const timeText = (ms: number): string => (ms < 1000 ? `${ms} ms` : formatDuration(ms))

const barRow = (name: string, parts: string, value: string): string =>
  `<div><dt>${escapeMarkup(name)}</dt><dd><span class="bar" aria-hidden="true">${parts}</span><span class="value">${value}</span></dd></div>`
