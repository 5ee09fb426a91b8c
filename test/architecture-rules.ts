/**
 * The rules of the tree, each a function from a source file to what is wrong
 * with it. Pure, so that a test can show that every rule is able to fail.
 */
export interface SourceFile {
  /** From the root, as in "src/core/errors.ts". */
  path: string
  text: string
}

export interface Rule {
  name: string
  /** One sentence for each breach. */
  check(file: SourceFile): string[]
}

/** One library, one doorway: who else wants it goes through that file or folder. */
const doorways: Record<string, string> = {
  execa: 'src/world/run-program.ts',
  yaml: 'src/core/spec/',
  inquirer: 'src/wizard/ask.ts',
  '@inquirer/core': 'src/wizard/live-text.ts',
  'fast-xml-parser': 'src/core/xml/parse-xml.ts',
  zod: 'src/core/spec/',
  commander: 'src/cli/',
  listr2: 'src/cli/',
  'node:child_process': 'nowhere: execa in src/world/run-program.ts',
}

/** What core may import beside itself, and where. */
const coreImports: Record<string, string> = {
  yaml: 'src/core/spec/',
  zod: 'src/core/spec/',
  'node:crypto': 'src/core/spec/names.ts',
  'fast-xml-parser': 'src/core/xml/parse-xml.ts',
}

/** Who may import whom below src; the bench stands beside the native code that it measures. */
const layers: Record<string, string[]> = {
  core: ['core'],
  world: ['world', 'core'],
  host: ['host', 'world', 'core'],
  drivers: ['drivers', 'host', 'world', 'core'],
  apply: ['apply', 'drivers', 'host', 'world', 'core'],
  wizard: ['wizard', 'core'],
  hook: ['hook', 'apply', 'drivers', 'host', 'world', 'core'],
  hotplug: ['hotplug', 'hook', 'apply', 'drivers', 'host', 'world', 'core'],
  demo: ['demo', 'apply', 'drivers', 'host', 'world', 'core'],
  bench: ['bench', 'drivers', 'world', 'core'],
  doctor: ['doctor', 'hook', 'apply', 'drivers', 'host', 'world', 'core'],
  cli: ['cli', 'demo', 'doctor', 'hotplug', 'hook', 'wizard', 'apply', 'drivers', 'host', 'world', 'core'],
}

/** What reaches out without an import. */
const ambient =
  /(?<![\w.'/])(process\.|console\.\w+\(|performance\.|globalThis|fetch\(|Date\.|new Date|setTimeout|setInterval|Math\.random)/g

export const rules: Rule[] = [
  {
    name: 'core reaches out for nothing',
    check: ({ path, text }) => {
      if (!path.startsWith('src/core/')) return []
      const foreign = importsOf(text).filter(
        (name) => !name.startsWith('.') && !isAt(coreImports[name], path),
      )
      return [...foreign.map((name) => `imports ${name}`), ...found(text, ambient)]
    },
  },
  {
    name: 'one library, one doorway',
    check: ({ path, text }) =>
      importsOf(text)
        .filter((name) => isProgram(path) && name in doorways && !isAt(doorways[name], path))
        .map((name) => `imports ${name}, whose doorway is ${doorways[name]}`),
  },
  {
    name: 'layers',
    check: ({ path, text }) => {
      const folder = isBench(path) ? 'bench' : /^src\/([^/]+)\//.exec(path)?.[1]
      if (folder === undefined) return []
      const allowed = layers[folder]
      if (allowed === undefined) return [`is in src/${folder}, which is no layer`]
      const below = importsOf(text).filter((name) => name.startsWith('.'))
      return below
        .map((name) => resolve(path, name))
        .filter((target) => !allowed.some((layer) => target.startsWith(folderOf(layer))))
        .map((target) => `imports ${target}`)
    },
  },
  {
    name: 'only cli prints',
    check: ({ path, text }) =>
      isProgram(path) && !path.startsWith('src/cli/') && path !== 'native/bench/cli.ts'
        ? found(
            text,
            /(?<![\w.'/])console\.(log|error|warn|info|debug|table|dir|trace)\(|\bprocess\.(stdout|stderr)\b/g,
          )
        : [],
  },
  {
    name: 'only bin ends the process',
    check: ({ path, text }) => (path.startsWith('bin/') ? [] : found(text, /\bprocess\.(exit|abort)\b/g)),
  },
  {
    name: 'types are kept',
    check: ({ text }) => [
      ...found(text, /[:<|,(]\s*any\b(?!\s*[=(:])|\bas any\b|\bany\[\]/g),
      ...(text.match(/@ts-(ignore|expect-error|nocheck)|biome-ignore/g) ?? []),
    ],
  },
  {
    name: 'no shell',
    check: ({ text }) => found(text, /\bshell: true\b|\bexecSync\(|\bexeca(Command|CommandSync)\b/g),
  },
  {
    // 0 is the whole group of whoever calls: both doorways refuse it.
    name: 'signals are for one process',
    check: ({ path, text }) =>
      ['src/world/processes.ts', 'test/system/send-signal.ts'].includes(path)
        ? []
        : found(text, /\bprocess\.kill\((?!'|process\.pid)/g),
  },
  {
    name: 'nothing left for later',
    check: ({ text }) =>
      text.match(/\b(TODO|FIXME|XXX)\b|\b(it|describe)\.(skip|only)\b|\bx(it|describe)\(/g) ?? [],
  },
  {
    name: 'small files',
    check: ({ text }) => {
      const lines = text.split('\n').length - 1
      return lines > 250 ? [`has ${lines} lines, at most 250`] : []
    },
  },
  {
    name: 'files are named by what they hold',
    check: ({ path }) => {
      const name = path.split('/').at(-1) ?? ''
      const vague = /^(utils?|helpers?|common|misc|shared|lib|.*manager)\.ts$/.test(name)
      return vague || !/^[a-z0-9-]+(\.test)?\.ts$/.test(name)
        ? ['has a name that says nothing, or not kebab-case']
        : []
    },
  },
]

/** The modules a text imports, in whatever form. */
export function importsOf(text: string): string[] {
  const forms = /\bfrom\s+'([^']+)'|\bimport\s*\(\s*'([^']+)'|\bimport\s+'([^']+)'|\brequire\(\s*'([^']+)'/g
  return [...withoutComments(text).matchAll(forms)].map(([, a, b, c, d]) => a ?? b ?? c ?? d ?? '')
}

function isBench(path: string): boolean {
  return path.startsWith('native/bench/')
}

function isProgram(path: string): boolean {
  return path.startsWith('src/') || isBench(path)
}

function folderOf(layer: string): string {
  return layer === 'bench' ? 'native/bench/' : `src/${layer}/`
}

function isAt(doorway: string | undefined, path: string): boolean {
  return doorway !== undefined && (doorway.endsWith('/') ? path.startsWith(doorway) : path === doorway)
}

function found(text: string, pattern: RegExp): string[] {
  return withoutComments(text).match(pattern) ?? []
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}

function resolve(from: string, relative: string): string {
  const parts = from.split('/').slice(0, -1)
  for (const step of relative.split('/')) {
    if (step === '..') parts.pop()
    else if (step !== '.') parts.push(step)
  }
  return parts.join('/')
}
