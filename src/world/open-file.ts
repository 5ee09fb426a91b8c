import { open } from 'node:fs/promises'
import { VhostkitError } from '../core/errors.js'

/** A file that is being written. */
export interface OpenFile {
  /** True, when it is written; a disk that takes no more is an error. */
  write(bytes: Uint8Array): Promise<boolean>
  close(): Promise<void>
}

/** Makes a file that only its owner may read, or empties the one that is there. */
export async function createFile(path: string): Promise<OpenFile> {
  const failed = (cause: NodeJS.ErrnoException) =>
    new VhostkitError('not-permitted', {
      sentence: `${path} cannot be written: ${cause.message}.`,
      hint: 'Choose another file, or make room.',
      cause,
    })
  const file = await open(path, 'w', 0o600).catch((cause: NodeJS.ErrnoException) => {
    throw failed(cause)
  })
  return {
    write: async (bytes) => {
      await file.writeFile(bytes).catch((cause: NodeJS.ErrnoException) => {
        throw failed(cause)
      })
      return true
    },
    close: () => file.close(),
  }
}
