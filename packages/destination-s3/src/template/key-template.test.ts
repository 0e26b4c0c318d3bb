import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileKeyTemplate, maxNameLength, type TemplateTexts } from './key-template.ts'
import { type FileValues, macroSpellings } from './macros.ts'

const stream = { id: '0b6f5a52-9a6c-4a8e-b1d4-0f3a1a2b3c4d', name: 'sales_summary_daily' }
const values: FileValues = {
  commitId: '20250414-112345-5f3a9c',
  exportId: 'nightly',
  exportName: 'Nightly sales',
  loadTime: new Date('2025-04-14T11:23:45.678Z'),
  destination: 'S3',
  destinationName: 'Partner bucket',
  organization: 'Acme',
  sandbox: 'production',
  customText: 'eu',
  extension: 'csv.gz',
  stream,
  cursor: new Date('2025-04-14T11:23:45Z'),
  part: 1,
  partition: '',
}
const render = (texts: TemplateTexts | string, more: Partial<FileValues> = {}, encrypted = false) =>
  compileKeyTemplate(typeof texts === 'string' ? { fileName: texts } : texts).key(
    { ...values, ...more },
    { encrypted },
  )
/** What a macro renders, cut out of a name. */
const macro = (text: string, more: Partial<FileValues> = {}) =>
  render(`a-${text}-z`, more)
    .replace(/^a-(.*)-z\.csv\.gz$/s, '$1')
    .replace(/^a-(.*)-z$/s, '$1')

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

describe('every macro', () => {
  // Samples of section 4 of the connector specification.
  it.each([
    ['{extension}', 'csv.gz'],
    ['{date_time}', '2025_04_14_11_23_45'],
    ['{timestamp}', '2025_04_14_11_23_45'],
    ['{iso_date_time}', '2025-04-14T11:23:45Z'],
    ['{date}', '2025_04_14'],
    ['{iso_date}', '2025-04-14'],
    ['{year}', '2025'],
    ['{month}', '04'],
    ['{day}', '14'],
    ['{hour}', '11'],
    ['{minute}', '23'],
    ['{second}', '45'],
    ['{stream_id}', stream.id],
    ['{stream_name}', 'sales_summary_daily'],
    ['{connection_id}', uuid],
    ['{connection_run_id}', uuid],
    ['{stream_run_id}', uuid],
    ['{cursor_year}', '2025'],
    ['{cursor_month}', '04'],
    ['{cursor_day}', '14'],
    ['{cursor_date_time}', '2025_04_14_11_23_45'],
    ['{cursor_iso_date_time}', '2025-04-14T11:23:45Z'],
    ['{cursor_singular_date_time}', '2025-04-14-11-23-45'],
    ['{part}', '1'],
    ['{uuid}', uuid],
    ['{run_id}', '20250414-112345-5f3a9c'],
    ['%DESTINATION%', 'S3'],
    ['%DESTINATION_NAME%', 'Partner_bucket'],
    ['%SEGMENT_ID%', stream.id],
    ['%SEGMENT_NAME%', 'sales_summary_daily'],
    ['%DATASET_ID%', stream.id],
    ['%DESTINATION_INSTANCE_ID%', 'nightly'],
    ['%DESTINATION_INSTANCE_NAME%', 'Nightly_sales'],
    ['%ORGANIZATION_NAME%', 'Acme'],
    ['%SANDBOX_NAME%', 'production'],
    ['%CUSTOM_TEXT%', 'eu'],
    ['%TIMESTAMP%', '1744629825'],
    ['%EXPORT_TIME%', 'exportTime=202504141123'],
    ['%DATETIME%', '20250414_112345'],
    ['%DATETIME(YYYYMMdd)%', '20250414'],
  ])('%s is %s', (spelling, sample) => {
    const found = macro(spelling)
    if (typeof sample === 'string') expect(found).toBe(sample)
    else expect(found).toMatch(sample)
    expect(macroSpellings).toContain(spelling)
  })

  it('is in the list above', () => {
    expect(macroSpellings).toHaveLength(40)
  })

  it.each([
    ['YYYYMMdd_HHmmss', '20250414_112345'],
    ['YYYY-MM-dd', '2025-04-14'],
    ["yyyy-MM-dd'T'HH:mm:ss.SSS", '2025-04-14T11:23:45.678'],
    ['YYMMdd', '250414'],
    ['', '20250414_112345'],
  ])('%%DATETIME(%s)%% is %s', (pattern, text) => {
    expect(macro(`%DATETIME(${pattern})%`)).toBe(text)
  })

  it('of ids is the same in the same run, and another one in another', () => {
    const ids = ['{uuid}', '{connection_run_id}', '{stream_run_id}']
    for (const id of ids) {
      expect(macro(id)).toBe(macro(id))
      expect(macro(id)).not.toBe(macro(id, { commitId: 'other' }))
    }
    expect(macro('{connection_id}')).toBe(macro('{connection_id}', { commitId: 'other' }))
    expect(macro('{stream_run_id}')).not.toBe(macro('{stream_run_id}', { stream: { ...stream, id: 'x' } }))
    expect(macro('{uuid}')).not.toBe(macro('{uuid}', { part: 2 }))
    expect(macro('{uuid}')).not.toBe(macro('{uuid}', { partition: 'day=1/' }))
  })
})

describe('names', () => {
  it.each<[TemplateTexts, Partial<FileValues>, string]>([
    [{}, {}, `S3_${stream.id}_20250414_112345.csv.gz`],
    [{ fileName: 'daily' }, {}, 'daily.csv.gz'],
    [{ fileName: 'daily' }, { part: 2 }, 'daily_2.csv.gz'],
    [{ fileName: 'daily.csv.gz' }, { part: 3 }, 'daily_3.csv.gz'],
    [{ fileName: 'daily.{extension}' }, { part: 2 }, 'daily_2.csv.gz'],
    [{ fileName: '{extension}_daily' }, { part: 2 }, 'csv.gz_daily_2'],
    [{ fileName: 'daily-{part}' }, { part: 2 }, 'daily-2.csv.gz'],
    [{ folder: 'a/b', fileName: 'c' }, {}, 'a/b/c.csv.gz'],
    [{ folder: 'a/b/', fileName: 'c' }, { partition: 'day=1/' }, 'a/b/day=1/c.csv.gz'],
    [
      { keyTemplate: 'a/{year}/%SEGMENT_NAME%/{part}.{extension}' },
      {},
      'a/2025/sales_summary_daily/1.csv.gz',
    ],
    [{ keyTemplate: '{stream_name}' }, {}, 'sales_summary_daily.csv.gz'],
    [{ fileName: '{{x}}_100%_%%DAY%%' }, {}, '{x}_100%_%DAY%.csv.gz'],
    [{ folder: '%DATETIME(YYYY/MM)%', fileName: 'x' }, {}, '2025/04/x.csv.gz'],
    [{ folder: 'x/%EXPORT_TIME%', fileName: 'y' }, {}, 'x/exportTime=202504141123/y.csv.gz'],
    [{ folder: `A-z0/!-_.'()"^[]+$%*`, fileName: 'y' }, {}, `A-z0/!-_.'()"^[]+$%*/y.csv.gz`],
    [
      { folder: 'a/%SEGMENT_NAME%/%SEGMENT_ID%', fileName: 'y' },
      {},
      `a/sales_summary_daily/${stream.id}/y.csv.gz`,
    ],
  ])('%j with %j is %s', (texts, more, key) => {
    expect(render(texts, more)).toBe(key)
    expect(render(texts, more, true)).toBe(`${key}.gpg`)
  })

  it.each([
    ['a/b', 'a_b'],
    ['../../etc', '.._.._etc'],
    ['..', '__'],
    ['.', '_'],
    ['Umsätze 2025', 'Umsätze_2025'],
    ['売上', '売上'],
    ['a\u0000b\n', 'a_b_'],
    ['50% {x} ?', '50___x___'],
  ])('a stream %j is %j in a name', (name, text) => {
    expect(render('{stream_name}', { stream: { id: 'x', name } })).toBe(`${text}.csv.gz`)
  })

  it('of any stream are one segment', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), (name) => {
        const key = render(
          { folder: '{stream_name}', fileName: '{stream_name}' },
          { stream: { id: 'x', name } },
        )
        const segments = key.split('/')
        expect(segments).toHaveLength(2)
        expect(segments.every((segment) => !['', '.', '..'].includes(segment))).toBe(true)
        expect(key.isWellFormed()).toBe(true)
      }),
    )
  })

  it('keep any text whose special characters are doubled', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(
        text.filter((name) => !/[/\\\p{Cc}]|^\.+$|^\.penstock$/u.test(name)),
        (name) => {
          const doubled = name.replaceAll(/[{}%]/g, '$&$&')
          expect(render(doubled)).toBe(name.endsWith('.csv.gz') ? name : `${name}.csv.gz`)
        },
      ),
    )
  })
})

describe('what is wrong is refused, with its place', () => {
  it.each<[TemplateTexts, number, RegExp, RegExp]>([
    [
      { fileName: 'x_{stram_name}' },
      3,
      /\{stram_name\} is no macro/,
      /Did you mean \{stream_name\}\? Known: .*\{uuid\}/,
    ],
    [{ fileName: 'x_%SEGMENT_NAM%' }, 3, /%SEGMENT_NAM% is no macro/, /Did you mean %SEGMENT_NAME%/],
    [{ fileName: '😀%segment_name%' }, 2, /no macro/, /Did you mean %SEGMENT_NAME%/],
    [{ fileName: '{SEGMENT_NAME}' }, 1, /no macro/, /Did you mean %SEGMENT_NAME%/],
    [{ fileName: '{qqqqqqqq}' }, 1, /no macro/, /^Known/],
    [{ fileName: '{}' }, 1, /\{\} is no macro/, /Known/],
    [{ fileName: 'a{year' }, 2, /"\{" has no partner/, /\{\{/],
    [{ fileName: 'a}' }, 2, /"\}" has no partner/, /\}\}/],
    [{ fileName: '{a{year}}' }, 1, /no partner/, /\{\{/],
    [{ fileName: 'a_%SEGMENT_ID' }, 3, /"%SEGMENT_ID" is not closed/, /%SEGMENT_ID%/],
    [{ fileName: 'a_%DATETIME(YYYY' }, 3, /not closed/, /%DATETIME%/],
    [{ fileName: '%TIMESTAMP(x)%' }, 1, /takes no argument/, /%TIMESTAMP%/],
    [{ fileName: 'x%DATETIME(YYYY_DD)%' }, 17, /"DD"/, /dd/],
    [{ fileName: 'a/b' }, 2, /must not have "\/"/, /keyTemplate/],
    [{ fileName: '%DATETIME(YYYY/MM)%' }, 1, /must not have "\/"/, /keyTemplate/],
    [{ fileName: '' }, 1, /no file name/, /default/],
    [{ keyTemplate: 'a/' }, 1, /no file name/, /default/],
    [{ folder: 'a b' }, 2, /must not have " "/, /Allowed/],
    [{ folder: 'a/ü' }, 3, /must not have "ü"/, /Allowed/],
    [{ folder: '/a' }, 1, /begins with a slash/, /exports/],
    [{ folder: 'a//b' }, 1, /empty segment/, /exports/],
    [{ folder: 'a/../b' }, 1, /"\.\."/, /exports/],
    [{ folder: './b' }, 1, /"\."/, /exports/],
    [{ folder: '.penstock' }, 1, /notes/, /exports/],

    [{ folder: '%SEGMENT_NAME%/b' }, 15, /end of the folder path/, /\{stream_name\}/],
    [{ folder: '%SEGMENT_ID%/{year}' }, 14, /end of the folder path/, /\{stream_id\}/],
    [{ keyTemplate: '%SEGMENT_NAME%/b/c' }, 15, /end of the folder path/, /Move/],
  ])('%j at %i', (texts, at, message, hint) => {
    expect(() => compileKeyTemplate(texts)).toThrow(
      expect.objectContaining({
        kind: 'config',
        code: 'InvalidKeyTemplate',
        message: expect.stringMatching(new RegExp(`character ${at}: .*${message.source}`)),
        hint: expect.stringMatching(hint),
      }),
    )
  })

  it.each([
    ['{cursor_day}', 'cursor', /incremental/],
    ['%ORGANIZATION_NAME%', 'organization', /Set organization/],
    ['%SANDBOX_NAME%', 'sandbox', /Set sandbox/],
    ['%CUSTOM_TEXT%', 'customText', /Set customText/],
  ])('%s without a value', (spelling, field, hint) => {
    const template = compileKeyTemplate({ fileName: `ab${spelling}` })
    const empty = { ...values, [field]: undefined }
    const error = expect.objectContaining({
      message: expect.stringMatching(/character 3: .* has no value in this run/),
      hint: expect.stringMatching(hint),
    })
    expect(() => template.requireValues(empty, { cursor: true })).toThrow(error)
    expect(() => template.key(empty, { encrypted: false })).toThrow(error)
    expect(() => template.requireValues(values, { cursor: true })).not.toThrow()
  })

  it('a name over 255 characters, its extensions included', () => {
    const name = (length: number) => 'é'.repeat(length - '.csv.gz.gpg'.length)
    expect(render(name(maxNameLength), {}, true)).toHaveLength(255)
    expect(() => render(name(maxNameLength + 1), {}, true)).toThrow(/256 characters/)
  })
})

it('knows a name that is the same in each run', () => {
  const isStatic = (fileName: string) => compileKeyTemplate({ fileName }).isStatic
  for (const name of ['daily', '{stream_name}_{part}', '%SEGMENT_ID%', '{connection_id}'])
    expect(isStatic(name)).toBe(true)
  for (const name of ['{date}', '{run_id}', '{uuid}', '{cursor_day}', '%TIMESTAMP%', '%DATETIME%'])
    expect(isStatic(name)).toBe(false)
})
