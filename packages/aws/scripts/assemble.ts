import wabt from 'wabt'

/** WebAssembly text as a binary module. */
export const assemble = async (text: string): Promise<Buffer> => {
  const module = (await wabt()).parseWat('crc.wat', text)
  try {
    return Buffer.from(module.toBinary({}).buffer)
  } finally {
    module.destroy()
  }
}
