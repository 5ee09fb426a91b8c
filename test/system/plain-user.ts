import { execFileSync } from 'node:child_process'

/** Makes a user of this host without rights, home or shell, in a group of its own; `userdel` removes both. */
export function addPlainUser(name: string): { uid: number; gid: number } {
  const options = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin']
  execFileSync('useradd', [...options, name])
  const id = (which: string) => Number(execFileSync('id', [which, name], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}
