import { join } from 'node:path';
import { startCortex } from '../../test/support/binary.ts';
import { freePort } from '../../test/support/free-port.ts';
import { createTempFolder } from '../../test/support/temp-folder.ts';
import { openTmux } from '../../test/support/tmux.ts';
import { terminalSvg } from './terminal-svg.ts';

const columns = 112;
const rows = 20;

/** Opens `cortex catalog` on the running demo in a real terminal, and draws what it shows as `docs/pictures/catalog.svg`. */
async function drawCatalog(): Promise<void> {
  await using folder = await createTempFolder();
  const listen = `127.0.0.1:${freePort()}`;
  await using demo = startCortex({
    args: ['demo', '--ephemeral', '--json', '--listen', listen],
    cwd: folder.path,
  });
  const config = await configOf(demo.output);
  await using terminal = await openTmux({
    args: ['catalog', '--config', config],
    cwd: folder.path,
    columns,
    rows,
  });
  await terminal.until(/billing_export_invoices/);
  await terminal.until(/Parameters/);
  const svg = terminalSvg(await terminal.screen('colors'), columns, 'cortex catalog on a terminal');
  await Bun.write(join(import.meta.dirname, 'catalog.svg'), svg);
}

async function configOf(output: () => string): Promise<string> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await Bun.sleep(50)) {
    const config = /"config": "([^"]+)"/.exec(output())?.[1];
    if (config !== undefined) return config;
  }
  throw new Error(`the demo did not start: ${output()}`);
}

await drawCatalog();
