import { configJsonSchema } from '#config/json-schema.ts';
import type { Invocation } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';

/** Prints the JSON Schema of the config file, for editors. */
export async function configSchema({ output }: Invocation): Promise<number> {
  output.document(configJsonSchema());
  return exitCodes.done;
}
