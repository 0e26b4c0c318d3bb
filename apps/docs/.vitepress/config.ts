import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitepress'
import { commandLine, guides, type Page } from '../src/structure.ts'

const reference: Record<'commands' | 'connectors', Page[]> = JSON.parse(
  readFileSync(new URL('../.pages/reference.json', import.meta.url), 'utf8'),
)

const isShell =
  /^(\$ )?(penstock|npm|npx|pnpm|node|cd|export|git|ssh|docker|curl|aws|rclone|psql|PENSTOCK_\w+=)\b/m

/** A dead link ends the build. */
export default defineConfig({
  title: 'Penstock',
  description: 'Connectors between object storage and tables',
  srcDir: '.pages',
  cleanUrls: true,
  vite: { build: { chunkSizeWarningLimit: 2_000 } },
  head: [['meta', { name: 'theme-color', content: '#0f766e' }]],
  markdown: {
    // `{{` is no expression here: pages are written for people who read them in the repository too.
    config: ({ renderer }) => {
      for (const rule of ['text', 'code_inline'] as const) {
        const render = renderer.rules[rule]
        renderer.rules[rule] = (...args) => (render?.(...args) ?? '').replaceAll('{', '&#123;')
      }
      // An indented block looks like a fenced one: with a frame, a button to copy it, and scrolled on a phone.
      renderer.rules.code_block = (tokens, index, ...rest) => {
        const token = tokens[index]
        if (token) token.info = isShell.test(token.content) ? 'sh' : 'txt'
        return renderer.rules.fence?.(tokens, index, ...rest) ?? ''
      }
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Tutorial', link: '/tutorial' },
      { text: 'Commands', link: '/cli' },
      { text: 'Write a connector', link: '/writing-a-connector' },
    ],
    sidebar: [
      ...guides.map(({ text, items }) => ({ text, items: [...items] })),
      {
        text: 'Reference',
        items: [
          { ...commandLine, collapsed: true, items: reference.commands },
          { text: 'Connectors', collapsed: false, items: reference.connectors },
        ],
      },
    ],
  },
})
