import { isJsonObject, parseJson } from '#kernel/json.ts';
import { complete } from '../call.ts';
import { ownEntries } from '../entries.ts';
import { readContents } from '../methods/resources-read.ts';
import { wireAnswer } from '../refusal.ts';
import { sightOf } from '../sight.ts';
import { toolError } from '../tool-result.ts';
import type { Builtin } from './builtin.ts';
import { listResourcesDefinition, readResourceDefinition } from './definitions.ts';
import { jsonToolResult } from './json-tool-result.ts';

/** The caller's resources and templates, for clients that cannot list them. */
export const listResources: Builtin = {
  definition: listResourcesDefinition,
  async run(deps, call, args) {
    const { shared, own } = await sightOf(deps, call);
    const { era } = call;
    const page = deps.views.page(shared, 'resources', era, args.cursor, ownEntries(own, 'resources', era));
    if (!page.ok) return toolError('The cursor is not valid', { reason: page.error.reason });
    const ownTemplates = ownEntries(own, 'resourceTemplates', era);
    const templates = deps.views.page(shared, 'resourceTemplates', era, undefined, ownTemplates);
    const members = templates.ok ? `${page.value.members},${templates.value.members}` : page.value.members;
    const parsed = parseJson(`{${members}}`);
    return jsonToolResult(parsed.ok && isJsonObject(parsed.value) ? parsed.value : {});
  },
};

/** One resource, embedded in a tool result, for clients that cannot read resources. */
export const readResource: Builtin = {
  definition: readResourceDefinition,
  async run(deps, call, args) {
    if (typeof args.uri !== 'string') return toolError('uri must be a string', { reason: 'params_invalid' });
    const reply = await readContents(deps, call, args.uri);
    if (!reply.ok) {
      call.facts.outcome = 'error';
      call.facts.code = reply.error.reason;
      if (reply.error.reason === 'scope_missing' || reply.error.reason === 'capability_missing') return reply;
      return toolError(wireAnswer(reply.error, call.era).message, { reason: reply.error.reason });
    }
    if (reply.value.resultType === 'input_required') return reply;
    const parsed = parseJson(`{${reply.value.members}}`);
    const contents = parsed.ok && isJsonObject(parsed.value) ? parsed.value.contents : undefined;
    const content = Array.isArray(contents)
      ? contents.map((resource) => ({ type: 'resource', resource }))
      : [];
    return complete(`"content":${JSON.stringify(content)}`);
  },
};
