import { join } from 'node:path';
import { defaultStateDir, findConfigFile } from '#config/find-file.ts';
import { type LoadOptions, loadConfig } from '#config/load-config.ts';
import type { Invocation } from '../command.ts';
import { UserError } from '../errors.ts';
import { loadOptionsOf } from '../load-options.ts';
import { requireConfig } from '../require-config.ts';

/** The URL that clients are given: `--url`, else that of the configuration, else of the demo on this machine. */
export async function gatewayAddress(invocation: Invocation): Promise<string> {
  const { options, terminal } = invocation;
  const given = options.text('url');
  if (given !== undefined) return checked(given);
  const found = await findConfigFile(options.text('config'), terminal);
  const configured = await addressIn(loadOptionsOf(invocation, false), found !== undefined);
  if (configured !== undefined) return configured;
  if (found !== undefined) return (await requireConfig(invocation, false)).config.gateway.url;
  const file = join(options.text('state') ?? defaultStateDir(terminal), 'demo', 'cortex.yaml');
  const isDemoHere = await Bun.file(file).exists();
  const around = { cwd: terminal.cwd, environment: {}, flags: {}, mayExpandSecrets: false };
  const demo = isDemoHere ? await addressIn({ ...around, file }, false) : undefined;
  if (demo !== undefined) return demo;
  throw new UserError('which gateway? There is no configuration here', {
    next: 'cortex connect --url https://mcp.example.com/mcp',
  });
}

/** Also where the configuration has problems of another kind: they do not change the address. */
async function addressIn(options: LoadOptions, mayBeDefault: boolean): Promise<string | undefined> {
  const outcome = await loadConfig(options);
  const { effective } = outcome.ok ? outcome.value : outcome.error;
  const setting = effective.find(({ path }) => path === 'gateway.url');
  if (typeof setting?.value !== 'string') return undefined;
  return mayBeDefault || setting.origin.kind !== 'default' ? setting.value : undefined;
}

function checked(text: string): string {
  const url = URL.parse(text);
  const next = 'cortex connect --url https://mcp.example.com/mcp';
  if (url === null || !/^https?:$/.test(url.protocol) || /[\s\p{Cc}\p{Cf}]/u.test(text))
    throw new UserError(`--url is the http or https address of a gateway, not ${JSON.stringify(text)}`, {
      next,
    });
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    throw new UserError('--url holds no user, no password and no fragment', { next });
  return text;
}
