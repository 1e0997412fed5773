import { join } from 'node:path';
import { defaultStateDir } from '#config/find-file.ts';
import { createInbox, createPrintMailer, createSmtpMailer, type Mailer } from '#demo/mailer.ts';
import { signUpForTokens } from '#demo/sign-up.ts';
import { Secret } from '#kernel/secret.ts';
import type { Invocation } from '../command.ts';
import { type RunningDemo, startDemo } from '../demo-setup.ts';
import { demoText } from '../demo-text.ts';
import { runDemoTour } from '../demo-tour.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { freePort } from '../free-port.ts';
import { untilStopped } from '../until-stopped.ts';

const gatewayPort = 3213;
/** The authorization server listens this many ports above the gateway: 3220; the third-party server at the next. */
const issuerOffset = 7;
const calendarOffset = 8;
/** The operators’ console: 3214. */
const consoleOffset = 1;
const guest = 'you@example.com';
const dayMs = 24 * 3_600_000;

/** Everything on one machine; `--once` runs the tour on free ports and keeps nothing. */
export async function demo(invocation: Invocation): Promise<number> {
  return invocation.options.has('once') ? once(invocation) : stay(invocation);
}

async function once(invocation: Invocation): Promise<number> {
  const inbox = createInbox();
  const running = await startDemo(
    {
      folder: undefined,
      gatewayPort: await freePort(),
      issuerPort: await freePort(),
      calendarPort: await freePort(),
      adminPort: undefined,
      publicUrl: undefined,
      mailer: inbox,
      isQuiet: true,
    },
    invocation.terminal,
  );
  try {
    return await runDemoTour(running, inbox, invocation.output);
  } finally {
    await running.stop();
  }
}

async function stay(invocation: Invocation): Promise<number> {
  const { options, output, terminal } = invocation;
  const publicUrl = publicOrigin(options.text('url'));
  const port = portOf(options.text('listen'));
  const keeps = !options.has('ephemeral') && publicUrl === undefined;
  const inbox = createInbox(mailerFor(invocation, publicUrl));
  const running = await startDemo(
    {
      folder: keeps ? join(options.text('state') ?? defaultStateDir(terminal), 'demo') : undefined,
      gatewayPort: port,
      issuerPort: port + issuerOffset,
      // It needs an origin of its own, which a public demo does not have.
      calendarPort: publicUrl === undefined ? port + calendarOffset : undefined,
      adminPort: publicUrl === undefined ? port + consoleOffset : undefined,
      publicUrl,
      mailer: inbox,
      isQuiet: true,
    },
    terminal,
  );
  const stopped = untilStopped();
  const resetting = publicUrl === undefined ? undefined : nightly(running);
  try {
    const token = publicUrl === undefined ? await guestToken(running, inbox) : undefined;
    const { url, issuer, configFile, console } = running;
    if (output.isJson)
      output.document({ url, issuer, config: configFile, token: token ?? null, console: console ?? null });
    else output.line(demoText(output, { url, issuer, token, configFile, console }));
    await stopped;
  } finally {
    clearInterval(resetting);
    await running.stop();
  }
  return exitCodes.done;
}

/** Signs a guest up, so that there is a token to paste. */
async function guestToken(running: RunningDemo, inbox: ReturnType<typeof createInbox>): Promise<string> {
  const tokens = await signUpForTokens({
    issuer: running.issuer,
    resource: running.url,
    email: guest,
    readLink: inbox.readLink,
    clientName: 'curl',
  });
  return tokens.accessToken;
}

/** In public the link goes out by mail and never to the terminal. */
function mailerFor({ options, output, terminal }: Invocation, publicUrl: string | undefined): Mailer {
  if (publicUrl === undefined) {
    return createPrintMailer((line) => {
      if (!line.includes(guest)) output.warn(line);
    });
  }
  const smtp = options.text('smtp') ?? terminal.environment.CORTEX_DEMO_SMTP;
  if (smtp === undefined) {
    throw new UserError('a public demo sends its sign-in links by mail', {
      next: "cortex demo --url https://demo.example.com --smtp 'smtps://user:password@mail.example.com:465'",
    });
  }
  return createSmtpMailer({
    url: new Secret(smtp),
    from: `Cortex demo <no-reply@${new URL(publicUrl).hostname}>`,
  });
}

function publicOrigin(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (url === null || url.protocol !== 'https:' || url.origin !== text.replace(/\/$/, '')) {
    throw new UserError(`--url is an https origin without a path, not ${JSON.stringify(text)}`, {
      next: 'cortex demo --url https://demo.example.com --smtp ...',
    });
  }
  return url.origin;
}

function portOf(listen: string | undefined): number {
  if (listen === undefined) return gatewayPort;
  const port = Number(/^(?:127\.0\.0\.1:|localhost:|:)?(\d{2,5})$/.exec(listen)?.[1]);
  if (Number.isInteger(port) && port <= 65_535 - calendarOffset) return port;
  throw new UserError(`--listen is a port on 127.0.0.1, not ${JSON.stringify(listen)}`, {
    next: 'cortex demo --listen 127.0.0.1:4213',
  });
}

/** Every night at four o'clock UTC everybody and everything is forgotten. */
function nightly(running: RunningDemo): ReturnType<typeof setInterval> {
  let day = Math.floor((Date.now() - 4 * 3_600_000) / dayMs);
  const timer = setInterval(() => {
    const today = Math.floor((Date.now() - 4 * 3_600_000) / dayMs);
    if (today === day) return;
    day = today;
    void running.world.reset();
  }, 60_000);
  timer.unref();
  return timer;
}
