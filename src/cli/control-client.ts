import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '#kernel/json.ts';

const timeoutMs = 10_000;

/** The control socket of a state folder. */
export function controlPath(stateDir: string): string {
  return join(stateDir, 'control.sock');
}

/** Asks the gateway behind a control socket; undefined where none answers. Throws where it answers with a refusal. */
export async function askGateway(path: string, method: 'GET' | 'POST', pathname: string): Promise<unknown> {
  const response = await send(path, pathname, { method, signal: AbortSignal.timeout(timeoutMs) });
  if (response === undefined) return undefined;
  if (!response.ok) throw new Error(`the gateway answered ${response.status} to ${pathname}`);
  return response.json();
}

/** Hands JSON to the gateway behind a control socket; undefined where none runs. */
export async function postToGateway(
  path: string,
  pathname: string,
  body: JsonObject,
  withinMs: number,
): Promise<{ readonly status: number; readonly body: unknown } | undefined> {
  if ((await askGateway(path, 'GET', '/status')) === undefined) return undefined;
  const response = await send(path, pathname, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(withinMs),
  });
  // It is running: to do its work beside it, as if it were not, could do it twice.
  if (response === undefined) throw new Error(`the gateway did not answer ${pathname}`);
  return { status: response.status, body: await response.json() };
}

async function send(path: string, pathname: string, init: RequestInit): Promise<Response | undefined> {
  if (!existsSync(path)) return undefined;
  try {
    return await fetch(`http://control${pathname}`, { unix: path, ...init });
  } catch {
    return undefined;
  }
}
