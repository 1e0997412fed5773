import type { JsonObject } from '#kernel/json.ts';
import { canary, type Owner } from './canary.ts';
import type { Person } from './person.ts';

const lists = ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'] as const;

/**
 * Asks everything that one person can be shown: lists, instructions, search, builtins, what `other` has by its
 * name. What is answered is searched where it comes by; here nothing is looked at.
 */
export async function lookAround(person: Person, other: Owner, isLegacy: boolean): Promise<void> {
  const ask = isLegacy ? (await person.session()).request : (await person.agent()).modern;
  const tool = (name: string, args: JsonObject = {}) => ask('tools/call', { name, arguments: args });
  for (const method of lists) await ask(method);
  if (!isLegacy) await ask('server/discover');
  await tool('whoami');
  await tool('find_tools', { query: 'own find ask log more list', names: [`board_${other}_own`] });
  await tool('list_cortex_resources');
  await tool('list_cortex_tickets');
  await ask('resources/read', { uri: 'cortex://architecture' });
  await ask('resources/read', { uri: 'board://board/everybody' });
  await tool('board_find', { q: canary(person.owner, 'param') });
  await tool(`board_${other}_own`);
  await ask('resources/read', { uri: `board://board/${other}/1` });
  await ask('completion/complete', {
    ref: { type: 'ref/resource', uri: `board://board/${other}/{id}` },
    argument: { name: 'id', value: '' },
  });
}
