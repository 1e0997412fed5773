import { join } from 'node:path';
import { startCortex } from '../support/binary.ts';
import { freePort } from '../support/free-port.ts';
import { startNginx } from '../support/nginx.ts';
import { createTempFolder } from '../support/temp-folder.ts';

/** The demo as strangers find it: under one https origin, behind a real nginx, with links that go out by mail. */
export interface HostedDemo extends AsyncDisposable {
  readonly url: string;
  /** The link of the mail to this address; waits for it. */
  readMail(to: string): Promise<string>;
  /** Everything the demo said on its terminal. */
  output(): string;
}

/** `locations`: how nginx divides the paths, as the document has it. */
export async function hostDemo(locations: string): Promise<HostedDemo> {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await createTempFolder());
  const gateway = freePort();
  const https = freePort();
  const origin = `https://localhost:${https}`;
  const mail = startMailServer();
  parts.defer(() => mail.stop());

  const demo = parts.use(
    startCortex({
      args: ['demo', '--url', origin, '--listen', `127.0.0.1:${gateway}`, '--smtp', mail.url],
      cwd: folder.path,
    }),
  );
  const certificate = await makeCertificate(folder.path);
  const here = locations
    .replaceAll('127.0.0.1:3213', `127.0.0.1:${gateway}`)
    .replaceAll('127.0.0.1:3220', `127.0.0.1:${gateway + 7}`);
  const server = `server { listen 127.0.0.1:${https} ssl; ${certificate} ${here} }`;
  parts.use(await startNginx(join(folder.path, 'nginx'), https, server));
  for (
    const deadline = Date.now() + 20_000;
    !demo.output().includes('Ctrl-C stops it');
    await Bun.sleep(20)
  ) {
    if (Date.now() > deadline) throw new Error(`the demo did not start: ${demo.output()}`);
  }
  const owned = parts.move();
  return {
    url: `${origin}/mcp`,
    readMail: mail.read,
    output: demo.output,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function makeCertificate(folder: string): Promise<string> {
  const [key, file] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost'];
  const made = Bun.spawn(['openssl', ...args, '-keyout', key, '-out', file], { stderr: 'ignore' });
  if ((await made.exited) !== 0) throw new Error('openssl made no certificate');
  return `ssl_certificate ${file}; ssl_certificate_key ${key};`;
}

/** A mail server that takes every mail and reads the links in it. */
function startMailServer() {
  const mails: string[] = [];
  const server = Bun.listen<{ text: string; isData: boolean }>({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open(socket) {
        socket.data = { text: '', isData: false };
        socket.write('220 mail.test\r\n');
      },
      data(socket, bytes) {
        const { data } = socket;
        data.text += bytes.toString();
        for (;;) {
          const end = data.text.indexOf(data.isData ? '\r\n.\r\n' : '\r\n');
          if (end < 0) return;
          const line = data.text.slice(0, end);
          data.text = data.text.slice(end + (data.isData ? 5 : 2));
          if (data.isData) mails.push(line);
          const begins = !data.isData && /^DATA/i.test(line);
          data.isData = begins;
          socket.write(begins ? '354 go on\r\n' : /^QUIT/i.test(line) ? '221 bye\r\n' : '250 ok\r\n');
        }
      },
    },
  });
  return {
    url: `smtp://127.0.0.1:${server.port}`,
    stop: () => server.stop(true),
    async read(to: string): Promise<string> {
      for (const deadline = Date.now() + 20_000; Date.now() < deadline; await Bun.sleep(20)) {
        // Long lines of a mail are broken by "=" at the end of a line.
        const mail = mails
          .find((text) => text.includes(`To: ${to}`))
          ?.replaceAll('=\r\n', '')
          .replaceAll('=3D', '=');
        const link = /https:\/\/\S+\/sign-in\/link\S+/.exec(mail ?? '')?.[0];
        if (link !== undefined) return link;
      }
      throw new Error(`no mail to ${to} came`);
    },
  };
}
