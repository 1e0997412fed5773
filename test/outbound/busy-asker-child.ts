import { createSocketOutbound } from '#outbound/socket-outbound.ts';
import { post } from './request.ts';

/**
 * Run as a process of its own, whose loop does what it does in production: asks a server that sends a second answer 10 ms
 * after each, has no time to read while it comes, and asks again. Prints whose answers it got, as JSON.
 */
const url = `${process.argv[2]}`;
const outbound = createSocketOutbound();

async function ask(who: string): Promise<string> {
  const answer = await outbound.request(post(url, { body: JSON.stringify({ who }) }));
  return answer.ok ? answer.value.body : 'nothing';
}

const got: (readonly string[])[] = [];
for (let round = 0; round < 10; round++) {
  // Two connections: one that will have been idle for a while, and one whose answer has just come.
  const both = await Promise.all([ask('a'), ask('b')]);
  const third = await ask('c');
  for (const started = performance.now(); performance.now() - started < 30; );
  got.push([...both, third, await ask('d')]);
  await Bun.sleep(30);
}
await outbound.close();
process.stdout.write(JSON.stringify(got));
