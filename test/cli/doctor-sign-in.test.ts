import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commands } from '#cli/commands.ts';
import { type RunningDemo, startDemo } from '#cli/demo-setup.ts';
import { signInError } from '#cli/person-sign-in.ts';
import { runProgram } from '#cli/program.ts';
import type { Terminal } from '#cli/terminal.ts';
import { createInbox } from '#demo/mailer.ts';
import { signUpHeadlessly } from '#demo/sign-up.ts';
import { freePort } from '../support/free-port.ts';

const inbox = createInbox();
const nowhere: Terminal = {
  cwd: '/nowhere',
  environment: { HOME: '/nowhere' },
  out: () => {},
  say: () => {},
  isInteractive: false,
  columns: 80,
};

let demo: RunningDemo;
beforeAll(async () => {
  const ports = {
    gatewayPort: freePort(),
    issuerPort: freePort(),
    calendarPort: freePort(),
    adminPort: undefined,
  };
  demo = await startDemo(
    { ...ports, folder: undefined, publicUrl: undefined, mailer: inbox, isQuiet: true },
    nowhere,
  );
});
afterAll(() => demo.stop());

/** The doctor, with a person who opens the address that it prints. */
async function signIn(decision: 'allow' | 'deny') {
  let stdout = '';
  let stderr = '';
  const line = `doctor ${demo.url} --sign-in --no-browser --json --listen-for 1`;
  const done = runProgram(
    line.split(' '),
    {
      ...nowhere,
      out(text) {
        stdout += text;
      },
      say(text) {
        stderr += text;
      },
    },
    commands,
  );
  const address = new RegExp(`^${demo.issuer}/authorize\\?`, 'm');
  await expect.poll(() => stderr, { timeout: 20_000 }).toMatch(address);
  const authorizationUrl = stderr.split(/\s+/).find((word) => address.test(word)) ?? '';
  const { readLink } = inbox;
  const back = await signUpHeadlessly({ authorizationUrl, email: 'ada@example.com', readLink, decision });
  const page = await (await fetch(back)).text();
  return { exitCode: await done, steps: JSON.parse(stdout).steps, page, said: stdout + stderr };
}

test('an issuer that gives out no tokens for the gateway is told apart from one that refuses the client', () => {
  const next = (detail: string) => signInError('refused', detail, 'https://auth.example.com').next;
  expect(next('invalid_target')).toContain('have the issuer give out tokens for the gateway’s URL');
  expect(next('invalid_client')).toContain('--client-id ID');
});

describe('the doctor, signing in at the demo', () => {
  test('gets a token as a client does, and goes all the way with it', async () => {
    const { exitCode, steps, page, said } = await signIn('allow');
    const names: string[] = steps.map(({ step }: { step: string }) => step);
    expect(names.slice(names.indexOf('sign-in'))).toEqual([
      'sign-in',
      'token',
      'signature',
      'acceptance',
      'identity',
      'initialize',
      'discover',
      'list',
      'call',
      'stream',
      'idle',
    ]);
    const remarkable = steps.filter(({ status }: { status: string }) => status !== 'ok');
    expect(remarkable.map(({ step, status }: { step: string; status: string }) => [step, status])).toEqual([
      ['tls', 'skipped'],
      ['exposed', 'skipped'],
      ['preflight', 'skipped'],
    ]);
    expect(exitCode).toBe(0);
    expect(page).toContain('You are signed in');
    expect(said).not.toContain('eyJ');
  });

  test('stops where the person says no', async () => {
    const { exitCode, steps } = await signIn('deny');
    expect(exitCode).toBe(1);
    expect(steps.at(-1)).toMatchObject({ step: 'sign-in', status: 'failed' });
    expect(steps.at(-1).found).toContain('said no');
  });
});
