import { diskFile, machineStore } from './names.js'
import type { Spec } from './spec.js'

/** Every image that a spec names, and every disk of ours that may be there already. */
export function imagePaths(spec: Spec, stateFolder: string): string[] {
  return spec.machines.flatMap(({ name, disks }) => {
    const store = machineStore(stateFolder, spec.name, name)
    return disks.flatMap(({ image, use }, index) => [
      ...(image === null ? [] : [image]),
      ...(use === 'own' ? [diskFile(store, index)] : []),
    ])
  })
}

/** Every kernel and RAM disk that a spec names. */
export function bootPaths(spec: Spec): string[] {
  return spec.machines.flatMap(({ boot }) =>
    boot === null || typeof boot === 'string' ? [] : [boot.kernel, boot.initrd].filter((path) => path !== ''),
  )
}
