import { runProgram } from '../../world/run-program.js'

/** ssh ends with it when it did not get as far as the command. */
export const sshFailed = 255

const answerLimitMs = 15_000

/** Whether ssh refuses a machine because its key is not the one it had. ssh looks at that first, so nobody is to log in. */
export async function refusesHostKey([program = '', ...words]: readonly string[]): Promise<boolean> {
  // The first word on an option counts.
  const options = ['-o', 'BatchMode=yes', '-o', 'PreferredAuthentications=none']
  const { stderr } = await runProgram(program, [...options, ...words], { timeoutMs: answerLimitMs })
  return parseHostKeyRefusal(stderr)
}

/** Its warning stands between lines of "@". */
export function parseHostKeyRefusal(stderr: string): boolean {
  return /^@ +WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! +@\r?$/m.test(stderr)
}
