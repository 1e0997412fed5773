import type { ToolSearch } from '#catalog/search.ts';
import type { Builtin } from './builtin.ts';
import { createFindTools } from './find-tools.ts';
import { listResources, readResource } from './resources.ts';
import { listTickets, reportTicket } from './tickets.ts';
import { whoami } from './whoami.ts';

/** Every builtin by its name. */
export function createBuiltins(search: ToolSearch): ReadonlyMap<string, Builtin> {
  const builtins = [whoami, createFindTools(search), listResources, readResource, reportTicket, listTickets];
  return new Map(builtins.map((builtin) => [builtin.definition.name, builtin]));
}
