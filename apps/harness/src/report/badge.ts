import type { PackageScore } from '../score.ts'
import { escapeMarkup } from './markup.ts'

const label = 'conformance'
/** Width of a character of Verdana at 11 px, on average, in px. */
const characterWidth = 6.6
const padding = 8

const widthOf = (text: string): number => Math.round(text.length * characterWidth) + 2 * padding

/** A badge for a README: how many of the checks that ran have passed. */
export const badgeSvg = ({ passed, failed, skipped }: PackageScore): string => {
  const skips = skipped > 0 ? `, ${skipped} skipped` : ''
  const message = failed > 0 ? `${failed} failed` : `${passed} passed${skips}`
  const colour = failed > 0 ? '#b42318' : '#1a7f37'
  const [left, right] = [widthOf(label), widthOf(message)]
  const width = left + right
  const text = (content: string, x: number) => `<text x="${x}" y="14">${escapeMarkup(content)}</text>`
  const title = escapeMarkup(`${label}: ${message}`)
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="20" role="img" aria-label="${title}">
  <title>${title}</title>
  <clipPath id="r"><rect width="${width}" height="20" rx="3"/></clipPath>
  <g clip-path="url(#r)">
    <rect width="${left}" height="20" fill="#444c56"/>
    <rect x="${left}" width="${right}" height="20" fill="${colour}"/>
  </g>
  <g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
    ${text(label, left / 2)}
    ${text(message, left + right / 2)}
  </g>
</svg>
`
}
