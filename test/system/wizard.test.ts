import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeGuest } from '../../src/demo/guest/guest.js'
import { inOrdinaryPlaces, keepRecording, sameEverywhere } from '../docs/recording.js'
import { lookAtHost, requireRoot, testFolderPrefix } from './host-state.js'
import { runCli } from './run-cli.js'
import { Tmux } from './tmux.js'

/** Questions by the words they begin with, and the keys that answer them; Enter takes the default. */
const conversation: [RegExp, ...string[]][] = [
  [/What shall the deployment be called\?/, 'Enter'],
  [/Which networks shall there be\?/, 'Enter'],
  [/Which address shall the host have on lan\?/, 'Enter'],
  [/What shall the machines boot\?/, 'Enter'],
  [/Shall the memory be hugepages\?/, 'Down', 'Down', 'Enter'],
  [/How many machines\?/, 'Enter'],
  [/Shall the 2 machines be alike\?/, 'Enter'],
  [/How many vCPUs for each machine\?/, 'Enter'],
  [/How much memory for each machine\?/, 'Enter'],
]

describe('the wizard in a real terminal', function () {
  this.timeout(120_000)
  let base: string
  let folder: string
  let env: Record<string, string>
  let terminal: Tmux | undefined
  let untouched: ReturnType<typeof lookAtHost>

  before(async function () {
    requireRoot(this)
    untouched = lookAtHost()
    await makeGuest(process.cwd(), () => undefined, new AbortController().signal)
    base = mkdtempSync(join(tmpdir(), testFolderPrefix.slice(1)))
    folder = join(base, 'lab')
    for (const path of [folder, join(base, 'bin')]) mkdirSync(path)
    symlinkSync(join(process.cwd(), 'bin/vhostkit.js'), join(base, 'bin/vhostkit'))
    env = {
      VHOSTKIT_RUN_DIR: join(base, 'run'),
      VHOSTKIT_STATE_DIR: join(base, 'state'),
      PATH: `${join(base, 'bin')}:${process.env.PATH}`,
      PS1: '$ ',
    }
  })
  afterEach(() => terminal?.end())
  after(async () => {
    if (base === undefined) return
    await runCli(['destroy', 'lab', '--grace', '0'], env)
    rmSync(base, { recursive: true, force: true })
    assert.deepEqual(lookAtHost(), untouched)
  })

  it('leaves nothing when it is cancelled, whichever way it got there', async () => {
    terminal = new Tmux(folder, env, [100, 30])
    terminal.type('vhostkit init; echo "exit $?"')
    terminal.press('Enter')
    await terminal.until(/deployment be called\?.*\n[\s\S]*esc back/, 20_000)
    terminal.type('-')
    await terminal.until(/expected a name of letters/, 5_000)
    terminal.press('BSpace')
    terminal.press('Enter')
    // libvirt asks one more where it runs; either way Esc goes back to the first one.
    await terminal.until(
      /esc back[\s\S]*(Who shall run|Which networks)|(Who shall run|Which networks)[\s\S]*esc back/,
      10_000,
    )
    terminal.press('Escape')
    const back = await terminal.until(/deployment be called\? \(lab\)\n[\s\S]*esc back/, 10_000)
    // What was answered, and the question that was left, are gone from the screen.
    assert.equal(back.split('\n').filter((line) => /^[?✔]/.test(line)).length, 1, back)
    terminal.press('C-c')
    await terminal.until(/Cancelled; nothing was written or started[\s\S]*exit 1/, 10_000)
    assert.deepEqual(
      readdirSync(folder).filter((name) => !name.startsWith('.tmux')),
      [],
    )
    assert.equal(existsSync(join(base, 'state')), false)
  })

  it('goes from an empty folder to two machines that ping each other', async () => {
    terminal = new Tmux(folder, env, [110, 50])
    // What is typed before the shell is there would stand before its prompt.
    await terminal.until(/^[#$]/, 5_000)
    terminal.type('vhostkit init')
    terminal.press('Enter')
    await terminal.until(/deployment be called\?/, 20_000)
    for (const [question, ...keys] of conversation) {
      await answer(terminal, question, keys)
    }
    await terminal.until(/Why:[\s\S]*What shall be done\?[\s\S]*esc back/, 10_000)
    terminal.press('Up', 'Enter')
    await terminal.until(/Which file shall it be written into\? \(lab\.yaml\)[\s\S]*esc back/, 10_000)
    terminal.press('Enter')
    const applied = await terminal.until(/lab: applied\.\nTry: ping -c 3 (\S+)/, 60_000)
    const address = /Try: ping -c 3 (\S+)/.exec(applied)?.[1] ?? ''
    // The guests are still booting; with a deadline, fewer than three answers are a failure.
    terminal.type(`until ping -q -c 3 -i 0.3 -w 3 ${address} >ping.txt; do sleep 1; done; cat ping.txt`)
    terminal.press('Enter')
    await terminal.until(/3 received/, 60_000)
    const peer = address.replace(/\d+$/, (last) => String(Number(last) + 1))
    terminal.type(`echo 'ping p 3 0.2 ${peer}' | vhostkit console vm1 --until '@p.end\\s'`)
    terminal.press('Enter')
    const pinged = await terminal.until(/3 packets received[\s\S]*@p end\s*[#$]$/, 30_000)
    keepRecording('docs/init.txt', inOrdinaryPlaces(pinged, base), whatNoHostChanges)
    assert.match(readFileSync(join(folder, 'lab.yaml'), 'utf8'), /^version: 1$/m)
    // What was written is what was applied: there is nothing left to do.
    const again = await runCli(['apply', join(folder, 'lab.yaml'), '--json'], env)
    assert.equal((JSON.parse(again.stdout) as { changed: boolean }).changed, false)
  })
})

/** A question that this host does not ask (hugepages, libvirt) is passed over, once the one after it is there. */
async function answer(terminal: Tmux, question: RegExp, keys: string[]): Promise<void> {
  const open = () => lastQuestion(terminal.text())
  const end = performance.now() + 10_000
  let prompt = open()
  while (!question.test(prompt)) {
    if (/Who shall run the machines/.test(prompt)) terminal.press('Enter')
    if (/Shall the memory/.test(question.source) && /How many machines/.test(prompt)) return
    if (performance.now() > end)
      throw new Error(`${question} was not asked, but: ${prompt}\n${terminal.text()}`)
    await new Promise((resolve) => setTimeout(resolve, 150))
    prompt = open()
  }
  terminal.press(...keys)
}

/** The line of the question that waits for an answer: answered ones begin with another mark. */
function lastQuestion(text: string): string {
  return text.split('\n').findLast((line) => line.startsWith('? ')) ?? ''
}

/** Of a run: questions that every host asks, the spec without its hugepages, the end. */
function whatNoHostChanges(text: string): string {
  const lines = sameEverywhere(text)
    .replace(/@p end\s*[#$]\s*$/, '@p end')
    .replace(/\nPlan of [\s\S]*?\n\n(?=✔)/, '\n')
    .split('\n')
  return lines
    .filter((line) => !/Who shall run|Shall the memory|^hugepages:|^rtt /.test(line))
    .map((line) => line.replace(/pipe \d+/, ''))
    .join('\n')
}
