import { specJsonSchema } from '../../core/spec/json-schema.js'
import type { CommandResult } from '../command.js'

export async function run(): Promise<CommandResult> {
  const schema = specJsonSchema()
  return { text: JSON.stringify(schema, null, 2), data: schema, exitCode: 0 }
}
