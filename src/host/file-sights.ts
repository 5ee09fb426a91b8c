import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import type { FileSights } from '../core/wizard/sights.js'
import { readImage } from './images.js'

/** More names nobody reads while typing. */
const mostNames = 3

/** Looks at files for the wizard. `force`: a spec that is there may be written over. */
export function readFileSights(folder: string, force: boolean): FileSights {
  return {
    whyUnreadable,
    whyUnwritable: (path) => whyUnwritable(resolve(folder, path), force),
    readImage,
  }
}

/** What keeps this user from reading a file, as the wizard says it; null when nothing does. */
export function whyUnreadable(path: string): string | null {
  const fault = faultOf(path, constants.R_OK)
  if (fault !== null) return fault === absent ? `a file that is there; ${nameOthers(path)}` : fault
  return statSync(path).isFile()
    ? null
    : `a file; ${path} is ${statSync(path).isDirectory() ? 'a folder' : 'none'}`
}

function whyUnwritable(path: string, force: boolean): string | null {
  if (existsSync(path)) {
    if (statSync(path).isDirectory()) return `the name of a file; ${path} is a folder`
    return force ? faultOf(path, constants.W_OK) : `a file that is not there yet; ${path} is`
  }
  const fault = faultOf(dirname(path), constants.W_OK | constants.X_OK)
  return fault === absent ? `a folder that is there; ${dirname(path)} is not` : fault
}

const absent = 'absent'

/** null: this user has that right. */
function faultOf(path: string, right: number): string | null {
  try {
    accessSync(path, right)
    return null
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return absent
    if (code !== 'EACCES' && code !== 'EPERM') return `another path; of ${path} the host says ${code}`
    const verb = right === constants.R_OK ? 'read' : 'write'
    return `a path that you may ${verb}; ${path} is closed to user ${process.geteuid?.() ?? 0}`
  }
}

/** What a path that leads nowhere may have been meant to become. */
function nameOthers(path: string): string {
  const [folder, start] = path.endsWith('/') ? [path, ''] : [dirname(path), basename(path)]
  try {
    // Whoever may write there chose them: none may move the cursor.
    const names = readdirSync(folder)
      .map((name) => name.replace(/\p{Cc}/gu, '?'))
      .sort()
    const near = names.filter((name) => name.startsWith(start))
    if (near.length === 0) return `in ${folder} nothing begins with ${start}`
    const more = near.length > mostNames ? `, … (${near.length})` : ''
    return `in ${folder} there is ${near.slice(0, mostNames).join(', ')}${more}`
  } catch {
    return `there is no folder ${folder} to look into`
  }
}
