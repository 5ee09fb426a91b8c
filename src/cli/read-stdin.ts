import { VhostkitError } from '../core/errors.js'

/** All of stdin as text; longer than a spec may be is an error. */
export async function readStdin(limitBytes = 1024 * 1024): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin) {
    size += (chunk as Buffer).length
    if (size > limitBytes) {
      throw new VhostkitError('usage', { sentence: `stdin is longer than ${limitBytes} bytes.` })
    }
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString('utf8')
}
