import { stat } from 'node:fs/promises'

export type FileKind = 'file' | 'folder' | 'pipe' | 'other'

/** What a path leads to; null when it cannot be looked at. A pipe is one that a shell hands over, not a named one. */
export async function readFileKind(path: string): Promise<FileKind | null> {
  const found = await stat(path).catch(() => null)
  if (found === null) return null
  if (found.isFile()) return 'file'
  if (found.isDirectory()) return 'folder'
  // Nobody may ever write into a named one, and to open it would wait.
  return found.isFIFO() && /^\/(dev\/(stdin|fd\/\d+)|proc\/self\/fd\/\d+)$/.test(path) ? 'pipe' : 'other'
}
