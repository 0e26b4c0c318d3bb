import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import axe from 'axe-core'
import puppeteer, { type Browser, type Page } from 'puppeteer-core'

export const openBrowser = (executablePath: string): Promise<Browser> =>
  puppeteer.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--lang=en'] })

/** Sizes that the page has to look right at. 80 % zoom of a browser is a larger viewport with smaller pixels. */
export const viewports = {
  desktop: { width: 1280, height: 800, deviceScaleFactor: 1 },
  'zoom-80': { width: 1600, height: 1000, deviceScaleFactor: 0.8 },
  wide: { width: 2200, height: 1100, deviceScaleFactor: 1 },
  phone: { width: 360, height: 740, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
} as const

export type Viewport = keyof typeof viewports

/** Folder of the screenshots; none are taken where it is not given. */
const screenshots = process.env.PENSTOCK_SCREENSHOTS

export const screenshot = async (page: Page, name: string): Promise<void> => {
  if (screenshots === undefined) return
  mkdirSync(screenshots, { recursive: true })
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true })
}

/** What axe finds wrong by WCAG 2.2 A and AA, in words. */
export const accessibilityProblems = async (page: Page): Promise<readonly string[]> => {
  await page.evaluate(axe.source)
  return page.evaluate(async () => {
    const axe = (globalThis as unknown as { axe: { run(options: unknown): Promise<AxeResult> } }).axe
    const { violations } = await axe.run({
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    })
    return violations.flatMap(({ id, help, nodes }) =>
      nodes.map(
        ({ html, any }) =>
          `${id}: ${help}: ${html.slice(0, 160)} ${any.map(({ message }) => message).join(' ')}`,
      ),
    )
  })
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string
    readonly help: string
    readonly nodes: readonly {
      readonly html: string
      readonly any: readonly { readonly message: string }[]
    }[]
  }[]
}

/** True when the page is wider than the window: then it has to be scrolled sideways. */
export const overflows = (page: Page): Promise<boolean> =>
  page.evaluate(() => {
    const { document } = globalThis as unknown as {
      document: { documentElement: { scrollWidth: number; clientWidth: number } }
    }
    return document.documentElement.scrollWidth > document.documentElement.clientWidth
  })
