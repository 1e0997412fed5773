import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type JsonObject, stringAt } from '#kernel/json.ts';
import type { Invocation } from '../command.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { askIntegrity, objectsAt } from '../integrity-source.ts';
import { count } from '../output.ts';
import { visibleText } from '../visible-text.ts';

/** Accepts what a backend lists now, or writes the file with which an operator would. */
export async function integrityApprove(invocation: Invocation): Promise<number> {
  const { args, options, output, terminal } = invocation;
  const [name] = args;
  const isAll = options.has('all');
  if ((name === undefined) !== isAll) {
    throw new UserError('approve takes one name, or --all', {
      next: 'see what waits: cortex integrity list',
    });
  }
  const input: JsonObject = {
    ...(name === undefined ? { all: true } : { names: [name] }),
    print: options.text('print'),
    backend: options.text('backend'),
    kind: options.text('kind'),
  };
  const draft = options.text('draft');
  if (draft !== undefined) return writeDraft(invocation, input, resolve(terminal.cwd, draft));
  const answer = await askIntegrity(invocation, 'approve', input);
  if (output.isJson) {
    output.document(answer);
    return exitCodes.done;
  }
  for (const item of objectsAt(answer, 'approved')) output.line(`accepted ${nameOf(item)}`);
  for (const item of objectsAt(answer, 'forgotten')) output.line(`forgotten ${nameOf(item)}`);
  if (typeof answer.begun === 'number')
    output.line(`begun anew: ${count(answer.begun, 'definition')} accepted`);
  return exitCodes.done;
}

async function writeDraft({ output, ...rest }: Invocation, input: JsonObject, file: string): Promise<number> {
  const { text, items } = await askIntegrity({ output, ...rest }, 'draft', input);
  await writeFile(file, typeof text === 'string' ? text : '', { mode: 0o600, flag: 'wx' }).catch(
    (error: unknown) => {
      throw new UserError(
        `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
        {
          next: 'name a file that is not there yet',
        },
      );
    },
  );
  if (output.isJson) output.document({ file, items });
  else output.line(`wrote ${file}: ${count(Number(items), 'definition')}, unsigned`);
  output.note(`Look through it, then: cortex integrity sign ${file} --key <file> --out <file>`);
  return exitCodes.done;
}

function nameOf(item: JsonObject): string {
  const text = (key: string) => visibleText(stringAt(item, key) ?? '-');
  return `${text('kind')} ${text('name')} of ${text('backend')}`;
}
