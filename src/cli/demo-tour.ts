import { readAudit } from '#audit/reader.ts';
import { verifyAudit } from '#audit/verify.ts';
import type { Inbox } from '#demo/mailer.ts';
import { createTour } from '#demo/tour.ts';
import { keyOriginsOf } from '#gateway-options.ts';
import { openKeyInventory } from '#keys/inventory.ts';
import { createSigner, type Signer } from '#keys/signer.ts';
import type { RunningDemo } from './demo-setup.ts';
import { exitCodes } from './exit-codes.ts';
import type { Output } from './output.ts';

const settleMs = 500;
const shownRecords = 4;

/** Runs the tour and shows the audit of it: each step with its outcome. 0: all as promised; 1: not. */
export async function runDemoTour(demo: RunningDemo, inbox: Inbox, output: Output): Promise<number> {
  const tour = createTour({ url: demo.url, world: demo.world, readLink: inbox.readLink });
  const steps = [...tour.steps, auditStep(demo)];
  const outcomes: { readonly step: string; readonly ok: boolean; readonly seen: string }[] = [];
  try {
    for (const [index, { title, run }] of steps.entries()) {
      const outcome = await run().then(
        (seen) => ({ step: title, ok: true, seen }),
        (error: unknown) => ({
          step: title,
          ok: false,
          seen: error instanceof Error ? error.message : String(error),
        }),
      );
      outcomes.push(outcome);
      if (!output.isJson) show(output, index + 1, outcome);
      if (!outcome.ok) break;
    }
  } finally {
    await tour.close().catch(() => {});
  }
  const isDone = outcomes.length === steps.length && outcomes.every(({ ok }) => ok);
  if (output.isJson) output.document({ ok: isDone, steps: outcomes });
  else output.line(isDone ? `\nAll ${steps.length} steps as promised.` : '\nThe tour broke off.');
  return isDone ? exitCodes.done : exitCodes.no;
}

function show(
  output: Output,
  number: number,
  of: { readonly step: string; readonly ok: boolean; readonly seen: string },
): void {
  const mark = of.ok ? output.paint('green', 'ok') : output.paint('red', 'FAILED');
  output.line(`${String(number).padStart(2)} ${mark} ${of.step}`);
  for (const line of of.seen.split('\n')) output.line(output.paint('dim', `      ${line}`));
}

/** The last step: every call left one record, no record holds an address or a token, and the chain holds. */
function auditStep(demo: RunningDemo) {
  return {
    title: 'every call left one record, linked to the one before',
    async run(): Promise<string> {
      const { dir } = demo.config.audit;
      await Bun.sleep(settleMs);
      const verifier = checkpointSigner(demo);
      const report = await verifyAudit(dir, verifier);
      if (report.status === 'broken') throw new Error('the chain is broken');
      const lines: string[] = [];
      const everything = {
        user: undefined,
        tool: undefined,
        backend: undefined,
        outcome: undefined,
        since: undefined,
        until: undefined,
      };
      const events = readAudit({
        dir,
        filter: everything,
        last: undefined,
        follow: false,
        verifier,
        signal: new AbortController().signal,
      });
      for await (const event of events) {
        if (event.kind === 'break') throw new Error(`the chain does not hold at ${event.file}:${event.line}`);
        if (event.record.kind === 'call') lines.push(JSON.stringify(event.record.fields));
      }
      const calls = lines.filter((line) => line.includes('"method":"tools/call"'));
      if (calls.length < 6) throw new Error(`only ${calls.length} calls were recorded`);
      if (lines.some((line) => namesSomebody.test(line.replaceAll(/"agent":"[^"]*"/g, '')))) {
        throw new Error('a record names a person or holds a token');
      }
      return [
        `${report.records} records, chain intact, nobody named; the last calls:`,
        ...calls.slice(-shownRecords),
      ].join('\n');
    },
  };
}

function checkpointSigner(demo: RunningDemo): Signer {
  const keys = openKeyInventory(demo.config.keys.dir, keyOriginsOf(demo.config));
  if (!keys.ok) throw new Error('the keys of the demo cannot be read');
  return createSigner(keys.value.checkpoint);
}

/** Three letters alone would be found in a hash now and then. */
const namesSomebody = /alice|["@ ]bob["@ ]|@example|eyJ[\w-]{8,}\.eyJ/;
