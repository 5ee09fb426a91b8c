import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BenchResult } from '../result.js'
import { renderPage } from './page.js'

/** Writes the page into a folder, which is made when it is not there; answers with its path. */
export async function writeReport(folder: string, result: BenchResult, now: Date): Promise<string> {
  const path = join(folder, 'index.html')
  await mkdir(folder, { recursive: true })
  await writeFile(path, renderPage(result, now.toISOString().slice(0, 10)))
  return path
}
