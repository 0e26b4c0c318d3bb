import wabt from 'wabt'

/** WebAssembly text as a binary module. The lines from `;; macro NAME PARAMETER` to `;; end macro` stand for `(NAME $local)`. */
export const assemble = async (text: string): Promise<Buffer> => {
  const module = (await wabt()).parseWat('crc.wat', expand(text))
  try {
    return Buffer.from(module.toBinary({}).buffer)
  } finally {
    module.destroy()
  }
}

const expand = (text: string): string => {
  const [macro, name, parameter, body = ''] =
    /^ *;; macro (\w+) (\w+)[\s\S]*?^( *\([\s\S]*?)^ *;; end macro$/m.exec(text) ?? []
  if (macro === undefined || parameter === undefined) return text
  return text
    .replace(macro, '')
    .replaceAll(new RegExp(`\\(${name} (\\$\\w+)\\)`, 'g'), (_use, local: string) =>
      body.replaceAll(parameter, local),
    )
}
