import { join } from 'node:path';
import { judgeAudit } from './judge-audit.ts';

const root = join(import.meta.dirname, '..');
const audit = Bun.spawn(['bun', 'audit', '--production', '--json'], {
  cwd: root,
  stdout: 'pipe',
  stderr: 'pipe',
});
const [stdout, stderr] = await Promise.all([
  new Response(audit.stdout).text(),
  new Response(audit.stderr).text(),
]);
const { text, isClean } = judgeAudit(stdout, stderr);
process.stdout.write(`${text}\n`);
process.exitCode = isClean ? 0 : 1;
