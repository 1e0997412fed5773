import { existsSync } from 'node:fs';
import { join } from 'node:path';

const timeoutMs = 10_000;

/** The control socket of a state folder. */
export function controlPath(stateDir: string): string {
  return join(stateDir, 'control.sock');
}

/** Asks the gateway behind a control socket; undefined where none answers. Throws where it answers with a refusal. */
export async function askGateway(path: string, method: 'GET' | 'POST', pathname: string): Promise<unknown> {
  if (!existsSync(path)) return undefined;
  let response: Response;
  try {
    response = await fetch(`http://control${pathname}`, {
      unix: path,
      method,
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch {
    return undefined;
  }
  if (!response.ok) throw new Error(`the gateway answered ${response.status} to ${pathname}`);
  return response.json();
}
