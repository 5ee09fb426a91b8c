/** What of a definition changes; all else in it stays, byte for byte. */
export type DomainEdit =
  | { share: true }
  | { interface: number; mtu: number }
  | { interface: number; mac: string }

/** Something safe that `doctor --fix` can do, as data: it is shown before, checked after, and can be undone. */
export type Repair =
  | { do: 'edit-domain'; uuid: string; name: string; edit: DomainEdit }
  | { do: 'set-owner'; path: string; uid: number; mode: number }
  | { do: 'set-group'; path: string; gid: number; mode: number }
  | { do: 'set-mode'; path: string; mode: number }

/** One line for people, before it is done. */
export function showRepair(repair: Repair): string {
  if (repair.do === 'edit-domain') return `in the definition of ${repair.name}: ${showEdit(repair.edit)}`
  const mode = repair.mode.toString(8)
  if (repair.do === 'set-mode') return `chmod ${mode} ${repair.path}`
  const change = repair.do === 'set-group' ? `chgrp ${repair.gid}` : `chown ${repair.uid}`
  return `${change} ${repair.path} && chmod ${mode} ${repair.path}`
}

function showEdit(edit: DomainEdit): string {
  if ('share' in edit) return "<access mode='shared'/>, and memAccess='shared' on every cell"
  const card = `card ${edit.interface}`
  return 'mtu' in edit ? `<mtu size='${edit.mtu}'/> on ${card}` : `<mac address='${edit.mac}'/> on ${card}`
}
