// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how references are written
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'puppeteer-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  accessibilityProblems,
  openBrowser,
  overflows,
  screenshot,
  type Viewport,
  viewports,
} from '../src/browser.ts'
import { findPrograms } from '../src/programs.ts'
import { startWebView, type WebView } from '../src/web-view.ts'

/* The web view as somebody uses it, in Chromium: from an empty folder to loaded tables and their history. */

const found = findPrograms('chromium')
let view: WebView
let browser: Browser
let page: Page
const complaints: string[] = []

beforeAll(async () => {
  if ('missing' in found) return
  view = await startWebView()
  browser = await openBrowser(found.programs.chromium)
  page = await browser.newPage()
  page.setDefaultTimeout(20_000)
  await page.setViewport(viewports.desktop)
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    // A refused form is an answer of its own; everything else that a browser reports is a fault of the page.
    if (message.type() === 'error' && !/status of (422|502|404)/.test(message.text()))
      complaints.push(message.text())
  })
  await page.goto(view.url)
})
afterAll(async () => {
  await browser?.close()
  await view?.stop()
})

const see = (text: string) => page.waitForSelector(`::-p-text(${text})`)
const press = (name: string, role = 'button') =>
  page.locator(`::-p-aria([name="${name}"][role="${role}"])`).click()
const fill = async (label: string, text: string) => {
  const input = await page.waitForSelector(`::-p-aria([name="${label}"])`)
  await input?.click({ count: 3 })
  await input?.type(text)
}
const go = async (route: string, text: string) => {
  await page.evaluate((hash) => {
    const { location } = globalThis as unknown as { location: { hash: string } }
    location.hash = hash
  }, `#/${route}`)
  await see(text)
}
const step = (title: string, work: () => Promise<void>) =>
  test(title, async (context) => {
    if ('missing' in found) return context.skip(found.missing)
    // The picture of a failure is the one that is wanted most.
    await work().finally(() => screenshot(page, title.replaceAll(/\W+/g, '-')))
    expect(await accessibilityProblems(page)).toEqual([])
    expect(complaints).toEqual([])
  })

step('an empty project says what to do first', async () => {
  await see('Three steps')
  expect(page.url()).not.toContain('token')
})

step('connectors can be chosen', async () => {
  await page.locator('::-p-text(Add the first connection)').click()
  await see('What do you want to connect to?')
  await see('Iceberg')
})

step('a wrong form is told at its fields', async () => {
  await go('connections/+/source-s3', 'Authentication')
  await page.locator('::-p-text(Access key)').click()
  await fill('Bucket *', 'Wrong_Bucket')
  await press('Test and save')
  await see('no capitals')
  await see('A region is missing')
})

step('a connection is saved, with its secret in a file of its own, and tested', async () => {
  await fill('Region *', 'us-east-1')
  await fill('Bucket *', 'shop-lake')
  await fill('Access key id *', view.aws.root.accessKeyId)
  await fill('Secret access key *', view.aws.root.secretAccessKey)
  await page.locator('::-p-text(Optional settings)').click()
  await fill('Endpoint', `${view.aws.endpoint}/nowhere`)
  await press('Test and save')
  await see('Nothing was saved.')
  expect(await readFile(join(view.folder, 'penstock.yaml'), 'utf8')).not.toContain('shop-lake')
  await fill('Endpoint', view.aws.endpoint)
  await press('Test and save')
  await see('The connection works')
  const yaml = await readFile(join(view.folder, 'penstock.yaml'), 'utf8')
  expect(yaml).toContain('secretAccessKey: ${file:.penstock/secrets/lake/auth.secretAccessKey}')
  expect(yaml).not.toContain(view.aws.root.secretAccessKey)
})

step('objects and folders are listed', async () => {
  await page.locator('::-p-text(Tables)').click()
  await see('orders/')
  await see('customers.csv')
})

step('rows can be looked at before a load', async () => {
  await press('Preview customers.csv')
  await see('Ada 3')
  expect(await page.$eval('dialog', (dialog) => dialog.textContent)).toContain('first 50 rows')
})

step('chosen tables are planned', async () => {
  await page.keyboard.press('Escape')
  await press('Load customers.csv', 'checkbox')
  await press('Load orders/', 'checkbox')
  await press('Show the plan')
  await see('a new table')
  await see('placed_at')
})

step('a load is watched to its end', async () => {
  await press('Load now')
  await see('succeeded')
  await see('3,000')
})

step('rows of a loaded table are shown', async () => {
  await press('Rows of orders')
  await see('first 50 rows')
})

step('a load that fails says where and why', async () => {
  await page.keyboard.press('Escape')
  await go('connections/lake', 'broken.csv')
  await press('Load broken.csv', 'checkbox')
  await press('Load now')
  await see('failed')
  expect(await page.$eval('main', (main) => main.textContent)).toContain('broken.csv')
})

step('the history has plots and runs', async () => {
  await go('runs', 'Runs')
  await see('max. 3,200')
})

step('one run is shown in detail', async () => {
  await page.evaluate(() => {
    const { document } = globalThis as unknown as {
      document: { querySelectorAll(text: string): { click(): void }[] }
    }
    ;[...document.querySelectorAll('tbody tr a')].at(-1)?.click()
  })
  await see('3,000')
})

step('a role gets an external id and a trust policy', async () => {
  await go('connections/+/zero-copy-glue', 'Authentication')
  await fill('Name *', 'role')
  await fill('Role ARN *', 'arn:aws:iam::111122223333:role/penstock')
  await fill('Region *', 'us-east-1')
  await press('Save')
  await see('Trust policy')
  await see('sts:ExternalId')
})

step('tables of a catalog are chosen', async () => {
  await go('connections/+', 'What do you want')
  await go('connections/+/zero-copy-glue', 'Authentication')
  await page.locator('::-p-text(Access key)').click()
  await fill('Access key id *', view.aws.root.accessKeyId)
  await fill('Secret access key *', view.aws.root.secretAccessKey)
  await fill('Region *', 'us-east-1')
  await page.locator('::-p-text(Optional settings)').click()
  await fill('Catalog endpoint', `${view.aws.endpoint}/iceberg`)
  await fill('S3 endpoint', view.aws.endpoint)
  await press('Test and save')
  await see('The connection works')
  await go('connections/warehouse', 'branches')
  await press('Use branches', 'checkbox')
  await press('Use 1 table')
  await see('Queries reach the chosen tables alone')
  expect(await readFile(join(view.folder, 'penstock.yaml'), 'utf8')).toMatch(
    /namespace: sales\s+tables:\s+- branches/,
  )
})

step('rows of a catalog are looked at in place', async () => {
  await press('Preview branches')
  await see('rows')
  await page.keyboard.press('Escape')
})

step('what is wrong with a connection is told in its test', async () => {
  await go('connections/lake/settings', 'Test and save')
  await fill('Bucket *', 'no-such-bucket')
  await press('Test and save')
  await page.waitForSelector('.step.failed .hint')
})

const pages = [
  ['', 'Last runs'],
  ['connections', 'Where data comes from'],
  ['connections/+/source-s3', 'Authentication'],
  ['connections/+/source-http', 'Authentication'],
  ['connections/warehouse', 'branches'],
  ['connections/warehouse/policy', 'IAM policy'],
  ['connections/lake/settings', 'Remove'],
  ['pipelines', 'No pipelines yet'],
  ['runs', 'max.'],
  ['nowhere', 'There is no such page'],
] as const

const sizes = Object.keys(viewports) as Viewport[]

test.each(sizes.flatMap((size) => (['light', 'dark'] as const).map((scheme) => ({ size, scheme }))))(
  'pages fit $size in $scheme',
  async ({ size, scheme }) => {
    if ('missing' in found) return
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
    await page.setViewport(viewports[size])
    for (const [route, text] of pages) {
      await go(route, text)
      await screenshot(page, `${size}-${scheme}-${route.replaceAll(/\W+/g, '-') || 'overview'}`)
      expect(await overflows(page), `${route} at ${size}`).toBe(false)
      // Colours are those of the scheme, and structure that of the size: not every pair has to be looked at.
      if (size === 'desktop' || (size === 'phone' && scheme === 'light'))
        expect(await accessibilityProblems(page), `${route} at ${size}, ${scheme}`).toEqual([])
    }
    expect(complaints).toEqual([])
  },
)

test('Ctrl-C ends it without an error', async (context) => {
  if ('missing' in found) return context.skip(found.missing)
  expect(await view.stop()).toBe(0)
})
