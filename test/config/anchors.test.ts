import { describe, expect, test } from 'vitest';
import { attempt, configOf, errorsOf } from './load.ts';

const yaml = (anchors: string) => `audit: { anchors: ${anchors} }\n`;

describe('places for anchors', () => {
  test('are none by themselves', async () => {
    expect((await configOf('')).audit.anchors).toEqual({
      webhook: undefined,
      syslog: undefined,
      otlp: undefined,
    });
  });

  test('are read together, their secrets kept from view', async () => {
    const outcome = await attempt({
      yaml: `auth: { issuers: [{ url: https://auth.example.com }] }
plans: { pro: [mcp:notes:read] }
backends: { notes: { url: http://127.0.0.1:4820, technical_token: technical } }
${yaml('{ webhook: { url: https://w.example/a?b=c, token: hidden-one }, syslog: "tls://[::1]", otlp: { url: https://o.example/v1/logs, headers: { X-Api-Key: hidden-two } } }')}`,
      mayExpandSecrets: true,
    });
    expect(outcome.issues).toEqual([]);
    const anchors = outcome.config?.audit.anchors;
    expect(anchors?.webhook?.url).toBe('https://w.example/a?b=c');
    expect(anchors?.webhook?.token?.reveal()).toBe('hidden-one');
    expect(anchors?.syslog).toEqual({ kind: 'tls', host: '::1', port: 6514 });
    expect(anchors?.otlp?.headers.get('x-api-key')?.reveal()).toBe('hidden-two');
    expect(JSON.stringify(outcome.report)).not.toContain('hidden');
  });

  test.each([
    ['udp://collector', { kind: 'udp', host: 'collector', port: 514 }],
    ['tcp://10.0.0.7:1514', { kind: 'tcp', host: '10.0.0.7', port: 1514 }],
    ['unix:/run/syslog.sock', { kind: 'unix', path: '/run/syslog.sock' }],
  ])('syslog takes %s', async (address, target) => {
    expect((await configOf(yaml(`{ syslog: "${address}" }`))).audit.anchors.syslog).toEqual(target);
  });

  test.each([
    'collector:514',
    'udp://',
    'tcp://host:0',
    'tcp://host:99999',
    'unix:relative',
    'http://x',
    'udp://a b',
  ])('syslog refuses %s', async (address) => {
    const errors = await errorsOf(yaml(`{ syslog: "${address}" }`));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain('audit.anchors.syslog');
  });

  test.each([
    [
      'a token in the clear',
      '{ webhook: { url: http://w.example/a, token: t } }',
      'webhook.url must be https',
    ],
    [
      'headers in the clear',
      '{ otlp: { url: http://o.example/a, headers: { x: t } } }',
      'otlp.url must be https',
    ],
    [
      'a token for nowhere',
      '{ webhook: { token: t } }',
      'webhook.token is set, and audit.anchors.webhook.url is not',
    ],
    ['headers for nowhere', '{ otlp: { headers: { x: t } } }', 'otlp.headers is set'],
    [
      'a header that is none',
      '{ otlp: { url: https://o.example/a, headers: { "a b": t } } }',
      'is not the name of a header',
    ],
  ])('%s is a problem', async (_name, anchors, message) => {
    const errors = await errorsOf(yaml(anchors));
    expect(errors.join('\n')).toContain(message);
  });

  test('anchors themselves may travel in the clear, and everything may on this machine', async () => {
    expect(await errorsOf(yaml('{ webhook: { url: http://w.example/a } }'))).toEqual([]);
    expect(await errorsOf(yaml('{ webhook: { url: http://127.0.0.1:9/a, token: t } }'))).toEqual([]);
  });
});
