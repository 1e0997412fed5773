import { type JsonObject, stringAt } from '#kernel/json.ts';
import type { AuditRecord } from './line.ts';
import { severityOf } from './severity.ts';

const schemaVersion = '1.3.0';
/** API Activity, of the category Application Activity. */
const classUid = 6_003;
const categoryUid = 6;
const severities = { informational: 1, low: 2, medium: 3, high: 4 } as const;
const read = 2;
const other = 99;
const mapped = new Set([
  ...['v', 'kind', 'chain', 'seq', 'time', 'prev', 'sig', 'key'],
  ...['user', 'caller', 'client', 'agent', 'actor', 'method', 'action', 'tool', 'backend', 'server'],
  ...['outcome', 'code', 'ms', 'trace'],
]);

/** A record as an event of the Open Cybersecurity Schema Framework: class API Activity (6003), version 1.3.0. */
export function ocsfEvent(record: AuditRecord, version: string): JsonObject {
  const { kind, chain, seq, time, fields } = record;
  const operation = stringAt(fields, 'method') ?? `${kind}/${stringAt(fields, 'action') ?? kind}`;
  const isRead = /\/(?:list|read|get|ping)$|^(?:ping|server\/discover|initialize)$/.test(operation);
  const activity = isRead ? read : other;
  const severity = severityOf(record);
  const backend = stringAt(fields, 'backend') ?? stringAt(fields, 'server');
  const tool = stringAt(fields, 'tool');
  return {
    class_uid: classUid,
    class_name: 'API Activity',
    category_uid: categoryUid,
    category_name: 'Application Activity',
    activity_id: activity,
    activity_name: isRead ? 'Read' : operation,
    type_uid: classUid * 100 + activity,
    severity_id: severities[severity],
    time: Date.parse(time),
    ...statusOf(fields),
    ...(typeof fields.ms === 'number' && { duration: Math.round(fields.ms) }),
    metadata: {
      version: schemaVersion,
      uid: `${chain}:${seq}`,
      sequence: seq,
      log_name: 'cortex audit',
      log_provider: chain,
      original_time: time,
      correlation_uid: stringAt(fields, 'trace'),
      product: { name: 'Cortex Gateway', vendor_name: 'Cortex', version },
    },
    actor: actorOf(fields),
    src_endpoint: { name: stringAt(fields, 'agent') ?? stringAt(fields, 'client') ?? 'unknown' },
    api: { operation, ...(backend !== undefined && { service: { name: backend } }) },
    ...(tool !== undefined && { resources: [{ name: tool, type: resourceType(fields) }] }),
    unmapped: Object.fromEntries(Object.entries(fields).filter(([key]) => !mapped.has(key))),
  };
}

function statusOf(fields: JsonObject): JsonObject {
  const outcome = stringAt(fields, 'outcome');
  const code = stringAt(fields, 'code');
  if (outcome === undefined) return {};
  const isFailure = outcome === 'error' || outcome === 'refused' || outcome === 'unknown_user';
  const status_id = outcome === 'ok' ? 1 : isFailure ? 2 : other;
  return { status_id, status: outcome, status_code: code };
}

/** Who: under the pseudonym; an operator under the name of its token. */
function actorOf(fields: JsonObject): JsonObject {
  const uid = stringAt(fields, 'user');
  const actor = stringAt(fields, 'actor');
  const client = stringAt(fields, 'client');
  // An operator acts; whom it acts on is no actor.
  if (actor !== undefined) return { user: { name: actor, type_id: 2, type: 'Admin' } };
  const app = { app_name: stringAt(fields, 'agent'), app_uid: client };
  if (uid !== undefined) {
    const kind = fields.caller === 'client' ? { type_id: 3, type: 'System' } : { type_id: 1, type: 'User' };
    return { user: { uid, ...kind }, ...app };
  }
  return client === undefined && app.app_name === undefined ? { app_name: 'unknown' } : app;
}

function resourceType({ method }: JsonObject): string {
  if (method === 'prompts/get') return 'prompt';
  return method === 'resources/read' ? 'resource scheme' : 'tool';
}
