import { expect, test } from 'vitest';

/** Something fails that nobody waits for; then the process says whether it is still there. */
const script = `
const { outliveFaults } = await import('#cli/outlive-faults.ts');
const { silentLog } = await import('#kernel/log.ts');
const error = (event, { error }) => console.log(event, error);
if (process.argv[1] !== 'without') outliveFaults({ ...silentLog, error });
void Promise.reject(new Error('rejected'));
setTimeout(() => { throw new Error('thrown'); });
setTimeout(() => { console.log('still here'); process.exit(0); }, 100);
`;

async function run(...args: readonly string[]) {
  const child = Bun.spawn([process.execPath, '-e', script, ...args], { stdout: 'pipe', stderr: 'ignore' });
  return { said: (await new Response(child.stdout).text()).trim().split('\n'), code: await child.exited };
}

test('a fault in what nobody waits for is logged, and does not end the gateway', async () => {
  expect(await run()).toEqual({
    said: ['gateway.fault Error: rejected', 'gateway.fault Error: thrown', 'still here'],
    code: 0,
  });
  expect(await run('without')).toEqual({ said: [''], code: 1 });
});
