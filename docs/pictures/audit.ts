import { join } from 'node:path';
import { isJsonObject, stringAt } from '#kernel/json.ts';
import { startCortex } from '../../test/support/binary.ts';
import { freePort } from '../../test/support/free-port.ts';
import { createCaller } from '../../test/support/mcp-caller.ts';
import { createTempFolder } from '../../test/support/temp-folder.ts';
import { openTmux } from '../../test/support/tmux.ts';
import { terminalSvg } from './terminal-svg.ts';

const columns = 112;
const rows = 26;
const drawnAfterMs = 45_000;

/** What an agent asks for, the most frequent first. */
const calls: readonly (readonly [tool: string, args: Readonly<Record<string, string>>])[] = [
  ['notes_list_notes', {}],
  ['notes_write_note', { title: 'Rent', text: 'Due on the first' }],
  ['billing_list_invoices', {}],
  ['notes_read_note', { id: 'of-nobody' }],
  ['billing_get_plan', {}],
  ['whoami', {}],
  ['billing_export_invoices', {}],
  ['notes_delete_everything', {}],
];

/** Calls the running demo for a while and draws what `cortex audit tail` shows of it as `docs/pictures/audit.svg`. */
async function drawAudit(): Promise<void> {
  await using folder = await createTempFolder();
  const listen = `127.0.0.1:${freePort()}`;
  await using demo = startCortex({
    args: ['demo', '--ephemeral', '--json', '--listen', listen],
    cwd: folder.path,
  });
  const { url, config, token } = await started(demo.output);
  const caller = createCaller(token, (request) => fetch(new Request(url, request)));
  const args = ['audit', 'tail', '-f', '--config', config];
  await using terminal = await openTmux({ args, cwd: folder.path, columns, rows });
  await terminal.until(/following/);
  await terminal.press('w', 'w', 'w');
  await terminal.until(/last minute/);
  for (const end = Date.now() + drawnAfterMs; Date.now() < end; ) {
    const moment = (Date.now() / 1_000) % 60;
    const [tool, given] = calls[Math.floor(Math.random() ** 1.6 * calls.length)] ?? ['whoami', {}];
    await caller.tool(tool, given);
    await Bun.sleep(60 + 500 * Math.abs(Math.sin(moment / 9)));
  }
  const svg = terminalSvg(await terminal.screen('colors'), columns, 'cortex audit tail on a terminal');
  await Bun.write(join(import.meta.dirname, 'audit.svg'), svg);
}

async function started(output: () => string) {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await Bun.sleep(50)) {
    const [text] = /^\{[\s\S]*^\}/m.exec(output()) ?? [];
    const said: unknown = text === undefined ? undefined : JSON.parse(text);
    if (!isJsonObject(said)) continue;
    const [url, config, token] = ['url', 'config', 'token'].map((name) => stringAt(said, name));
    if (url !== undefined && config !== undefined && token !== undefined) return { url, config, token };
  }
  throw new Error(`the demo did not start: ${output()}`);
}

await drawAudit();
