import type { JsonObject } from '#kernel/json.ts';
import { canary, type Owner } from './canary.ts';
import { gatewayOrigin, type Person } from './person.ts';

const lists = ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'] as const;

/**
 * Asks everything that one person can be shown: lists, instructions, search, builtins, what `other` has by its name,
 * its page. What is answered is searched where it comes by; here nothing is looked at. What costs most beside the lists
 * is asked every other time: what is kept for the wrong person is still there the next time.
 */
export async function lookAround(person: Person, other: Owner, turn: number): Promise<void> {
  const isLegacy = turn % 4 === 0;
  const ask = isLegacy ? (await person.session()).request : (await person.agent()).modern;
  const tool = (name: string, args: JsonObject = {}) => ask('tools/call', { name, arguments: args });
  for (const method of lists) await ask(method);
  if (!isLegacy) await ask('server/discover');
  await tool('whoami');
  await ask('resources/read', { uri: 'cortex://architecture' });
  await ask('resources/read', { uri: 'board://board/everybody' });
  await tool('board_find', { q: canary(person.owner, 'param') });
  await tool(`board_${other}_own`);
  await ask('resources/read', { uri: `board://board/${other}/1` });
  if (turn % 2 === 0) {
    await tool('find_tools', { query: 'own find ask log more list', names: [`board_${other}_own`] });
    await tool('list_cortex_resources');
    await ask('completion/complete', {
      ref: { type: 'ref/resource', uri: `board://board/${other}/{id}` },
      argument: { name: 'id', value: '' },
    });
    return;
  }
  await tool('list_cortex_tickets');
  await person.openPage(`${gatewayOrigin}/link`);
}
