import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { callFields } from '#audit/call-fields.ts';
import { cefLine } from '#audit/cef.ts';
import { createChain, newChainHead } from '#audit/chain.ts';
import { type AuditRecord, parseAuditLine } from '#audit/line.ts';
import { ocsfEvent } from '#audit/ocsf.ts';
import type { CallFacts } from '#audit/record.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { facts, signer } from './support/audit-kit.ts';

function recordOf(kind: 'call' | 'admin' | 'link' | 'reveal', fields: JsonObject): AuditRecord {
  const line = createChain(newChainHead('abcabcabcabc'), signer).append(kind, 1_772_619_630_405, fields);
  const record = parseAuditLine(Buffer.from(line));
  if (!record.ok) throw new Error(line);
  return record.value;
}
const call = (over: Partial<CallFacts> = {}) =>
  recordOf('call', callFields(facts(over), 'u'.repeat(22), 'p'.repeat(22)));

/** Reads CEF as its specification says: seven heads, then keys that a `=` without a backslash ends. */
function parseCef(line: string): { readonly head: readonly string[]; readonly extension: JsonObject } {
  const parts = line.split(/(?<=(?<!\\)(?:\\\\)*)\|/);
  const head = parts.slice(0, 7);
  const rest = parts.slice(7).join('|');
  const marks = [...rest.matchAll(/(?:^| )([A-Za-z][A-Za-z0-9]*)=/g)];
  const extension: Record<string, string> = {};
  for (const [index, mark] of marks.entries()) {
    const start = mark.index + mark[0].length;
    const value = rest.slice(start, marks[index + 1]?.index ?? rest.length);
    extension[mark[1] ?? ''] = value.replaceAll(/\\(.)/g, (_match, char) =>
      char === 'n' ? '\n' : char === 'r' ? '\r' : char,
    );
  }
  return { head: head.map((text) => text.replaceAll(/\\(.)/g, '$1')), extension };
}

describe('CEF', () => {
  test('a call, with the fields that the page names', () => {
    const { head, extension } = parseCef(cefLine(call(), '1.2.3'));
    expect(head).toEqual([
      'CEF:0',
      'Cortex',
      'Cortex Gateway',
      '1.2.3',
      'call:tools/call',
      'call tools/call notes_list',
      '1',
    ]);
    expect(extension).toEqual({
      rt: '1772619630405',
      deviceExternalId: 'abcabcabcabc',
      externalId: 'abcabcabcabc:1',
      cat: 'call',
      act: 'tools/call',
      outcome: 'ok',
      reason: 'ok',
      suid: 'u'.repeat(22),
      sourceServiceName: 'claude',
      requestClientApplication: 'claude-code/2',
      destinationServiceName: 'notes',
      in: '120',
      out: '340',
      cs1Label: 'tool',
      cs1: 'notes_list',
      cs2Label: 'identityMode',
      cs2: 'propagate',
      cs3Label: 'scopes',
      cs3: 'mcp:notes:read',
      cs4Label: 'plan',
      cs4: 'free',
      cs5Label: 'parameters',
      cs5: 'p'.repeat(22),
      cs6Label: 'trace',
      cs6: '4bf92f3577b34da6a3ce929d0e0e4736',
      cfp1Label: 'milliseconds',
      cfp1: '1.23',
    });
  });

  test.each([
    ['a new line that begins another event', 'x\nCEF:0|Evil|Evil|1|login:ok|all is well|0|'],
    ['a carriage return', 'x\r\nCEF:0|a|b|c|d|e|0|'],
    ['a line separator', 'x\u2028CEF:0|a|b|c|d|e|0|\u2029'],
    ['a next line of C1', 'x\u0085CEF:0|a|b|c|d|e|0|'],
    ['a pipe that ends the head', 'x|0|outcome=ok suid=somebody'],
    ['an equals sign that begins a field', 'x outcome=ok suid=admin cs4=pro'],
    ['a backslash that eats the escape', 'x\\'],
    ['a backslash before a pipe and an equals sign', 'x\\| y\\=z'],
    ['an escape of a terminal', 'x\u001b[2J\u0007'],
    ['text that runs backwards', 'x\u202e=ko\u2066'],
    ['half a surrogate', 'x\ud800'],
  ])('a name cannot become anything else: %s', (_name, hostile) => {
    const record = call({
      tool: hostile,
      agent: hostile,
      method: hostile,
      outcome: 'refused',
      code: 'unknown_tool',
    });
    const line = cefLine(record, '1');
    expect(line.split(/[\r\n\u0085\u2028\u2029]/)).toHaveLength(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not come through.
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ud800-\udfff]/);
    const { head, extension } = parseCef(line);
    expect(head).toHaveLength(7);
    expect(head[6]).toBe('5');
    expect(extension).toMatchObject({ outcome: 'refused', reason: 'unknown_tool', suid: 'u'.repeat(22) });
    expect(extension.cs4).toBe('free');
  });

  test('any name at all stays in its place', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.string({ unit: fc.constantFrom('|', '=', '\\', '\n', '\r', ' ', 'a', 'suid'), maxLength: 30 }),
        (agent, tool) => {
          const line = cefLine(call({ agent, tool }), '1');
          expect(line).not.toMatch(/[\r\n]/);
          const { head, extension } = parseCef(line);
          expect(head).toHaveLength(7);
          expect(extension.cs1 ?? '').toBe(tool.trimEnd() === tool ? tool : extension.cs1);
          expect(extension.suid).toBe('u'.repeat(22));
          expect(extension.outcome).toBe('ok');
        },
      ),
      { numRuns: 200 },
    );
  });

  test('what an operator did says who, and what it was about', () => {
    const record = recordOf('reveal', {
      actor: 'ops',
      user: 'u'.repeat(22),
      reason: 'a=b|c\nd',
      outcome: 'ok',
    });
    const { head, extension } = parseCef(cefLine(record, '1'));
    expect(head.slice(4)).toEqual(['reveal', 'reveal', '8']);
    expect(extension).toMatchObject({
      suser: 'ops',
      suid: 'u'.repeat(22),
      reason: 'a=b|c\nd',
      outcome: 'ok',
    });
    expect(JSON.parse(String(extension.msg))).toMatchObject({ reason: 'a=b|c\nd' });
  });
});

describe('OCSF', () => {
  /** https://schema.ocsf.io/1.3.0/classes/api_activity: what is required of the class and of the objects we fill in. */
  const required: Readonly<Record<string, readonly string[]>> = {
    '': [
      'activity_id',
      'category_uid',
      'class_uid',
      'severity_id',
      'time',
      'type_uid',
      'metadata',
      'actor',
      'api',
      'src_endpoint',
    ],
    metadata: ['product', 'version'],
    api: ['operation'],
  };
  /** At least one of them, by the constraints of the objects. */
  const oneOf: Readonly<Record<string, readonly string[]>> = {
    actor: ['user', 'app_name', 'app_uid'],
    src_endpoint: ['name', 'svc_name', 'uid'],
  };
  function check(event: JsonObject): void {
    const plain: unknown = JSON.parse(JSON.stringify(event));
    if (!isJsonObject(plain)) throw new Error('no event');
    for (const [path, names] of Object.entries(required)) {
      const object: unknown = path === '' ? plain : plain[path];
      for (const name of names) expect(object).toHaveProperty(name);
    }
    for (const [path, names] of Object.entries(oneOf)) {
      const object = plain[path];
      expect(isJsonObject(object) && names.some((name) => object[name] !== undefined)).toBe(true);
    }
    expect(plain.type_uid).toBe(Number(plain.class_uid) * 100 + Number(plain.activity_id));
    expect([1, 2, 3, 4]).toContain(plain.severity_id);
    expect(Number.isInteger(plain.time)).toBe(true);
  }

  test('a call, with the attributes that the page names', () => {
    const event = ocsfEvent(call(), '1.2.3');
    check(event);
    expect(JSON.parse(JSON.stringify(event))).toEqual({
      class_uid: 6003,
      class_name: 'API Activity',
      category_uid: 6,
      category_name: 'Application Activity',
      activity_id: 99,
      activity_name: 'tools/call',
      type_uid: 600_399,
      severity_id: 1,
      time: 1_772_619_630_405,
      status_id: 1,
      status: 'ok',
      status_code: 'ok',
      duration: 1,
      metadata: {
        version: '1.3.0',
        uid: 'abcabcabcabc:1',
        sequence: 1,
        log_name: 'cortex audit',
        log_provider: 'abcabcabcabc',
        original_time: '2026-03-04T10:20:30.405Z',
        correlation_uid: '4bf92f3577b34da6a3ce929d0e0e4736',
        product: { name: 'Cortex Gateway', vendor_name: 'Cortex', version: '1.2.3' },
      },
      actor: {
        user: { uid: 'u'.repeat(22), type_id: 1, type: 'User' },
        app_name: 'claude-code/2',
        app_uid: 'claude',
      },
      src_endpoint: { name: 'claude-code/2' },
      api: { operation: 'tools/call', service: { name: 'notes' } },
      resources: [{ name: 'notes_list', type: 'tool' }],
      unmapped: {
        plan: 'free',
        backends: ['notes'],
        scopes: ['mcp:notes:read'],
        mode: 'propagate',
        request_bytes: 120,
        response_bytes: 340,
        params: 'p'.repeat(22),
        era: 'modern',
      },
    });
  });

  test.each([
    [
      'a list',
      call({ method: 'tools/list', tool: undefined, listBytes: 900 }),
      { activity_id: 2, severity_id: 1 },
    ],
    ['a refusal', call({ outcome: 'refused', code: 'scope_missing' }), { status_id: 2, severity_id: 3 }],
    ['an error', call({ outcome: 'error', code: 'timeout' }), { status_id: 2, severity_id: 2 }],
    [
      'nobody known',
      recordOf('call', callFields(facts({ principal: undefined, agent: undefined }), undefined, undefined)),
      { actor: { app_name: 'unknown' } },
    ],
    [
      'an act',
      recordOf('admin', { action: 'vault.rotate', actor: 'ops', older: 0 }),
      { actor: { user: { name: 'ops' } }, api: { operation: 'admin/vault.rotate' }, severity_id: 3 },
    ],
    [
      'a call of a machine',
      recordOf('call', { ...callFields(facts(), 'u'.repeat(22), undefined), caller: 'client' }),
      { actor: { user: { type_id: 3, type: 'System' } } },
    ],
    [
      'an act of its own',
      recordOf('admin', { action: 'audit.opened', actor: 'gateway' }),
      { severity_id: 1 },
    ],
    [
      'a link',
      recordOf('link', { user: 'u'.repeat(22), server: 'linear', action: 'link', outcome: 'ok' }),
      { api: { operation: 'link/link', service: { name: 'linear' } } },
    ],
    [
      'a reveal',
      recordOf('reveal', { actor: 'ops', user: 'u'.repeat(22), reason: 'why', outcome: 'ok' }),
      { severity_id: 4, unmapped: { reason: 'why' } },
    ],
  ])('%s has what the class requires', (_name, record, expected) => {
    const event = ocsfEvent(record, '1');
    check(event);
    expect(event).toMatchObject(expected);
  });

  test('one event is one line, whatever the names are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (tool, agent) => {
        const text = JSON.stringify(ocsfEvent(call({ tool, agent }), '1'));
        expect(text).not.toMatch(/[\r\n]/);
        const read: unknown = JSON.parse(text);
        expect(isJsonObject(read) && read.class_uid).toBe(6003);
      }),
      { numRuns: 200 },
    );
  });
});
