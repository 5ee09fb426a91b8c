// Part of `npm run build`: makes dist/hook/run-hook.cjs, all of src/hook/run-hook.ts in one file, and beside it what V8
// made of it (run-hook.code). Modules one by one cost a hook 30 ms of CPU more: `npm run bench:start`.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const bundle = join(root, 'dist/hook/run-hook.cjs')

/** What these cost is paid at the first call: 6 and 4 ms, and few hooks hash a name or ask the switch. */
const lazyModules = { 'node:crypto': ['createHash'], 'node:net': ['connect'] }

const lazily = {
  name: 'lazily',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:(crypto|net)$/ }, ({ path, namespace }) =>
      namespace === 'lazy' ? { path, external: true } : { path, namespace: 'lazy' },
    )
    onLoad({ filter: /./, namespace: 'lazy' }, ({ path }) => ({
      contents: lazyModules[path]
        .map((name) => `export const ${name} = (...words) => require('${path}').${name}(...words)`)
        .join('\n'),
    }))
  },
}

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/hook/run-hook.ts'],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'iife',
  globalName: 'hook',
  minifySyntax: true,
  minifyWhitespace: true,
  banner: { js: '(function (require) {' },
  footer: { js: 'return hook })' },
  plugins: [lazily],
  metafile: true,
  logLevel: 'warning',
})
writeFileSync(join(root, 'dist/hook/LICENSES'), licensesOf(Object.keys(metafile.inputs)))
writeFileSync(bundle.replace(/cjs$/, 'code'), await compile())

/** Others' packages are in the bundle, so their terms are beside it. */
function licensesOf(files) {
  const folders = files.flatMap((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? [])
  return [...new Set(folders)]
    .sort()
    .map((folder) => {
      const { name, version } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
      const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry))
      if (file === undefined) throw new Error(`${folder} has no licence`)
      return `${name} ${version}\n\n${readFileSync(join(root, folder, file), 'utf8')}`
    })
    .join('\n----\n\n')
}

/** Reads a sample domain as a hook does, which changes nothing; what V8 compiled for it is kept. */
async function compile() {
  const script = new Script(readFileSync(bundle, 'utf8'), { filename: bundle })
  const { runHook } = script.runInThisContext()(createRequire(bundle))
  const state = mkdtempSync(join(tmpdir(), 'vhostkit-bundle-'))
  try {
    const settings = { version: 1, folders: { run: '/run/vhostkit', state }, switch: { argv: [] } }
    writeFileSync(join(state, 'hooks.json'), JSON.stringify(settings))
    const domain = readFileSync(join(root, 'test/golden/cases/libvirt-pair/domain-vm1.xml'), 'utf8')
    await runHook('started', state, domain)
    return script.createCachedData()
  } finally {
    rmSync(state, { recursive: true })
  }
}
