import { createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createInbox, createPrintMailer, createSmtpMailer } from '#demo/mailer.ts';
import { Secret } from '#kernel/secret.ts';

const mail = {
  to: 'ada@example.com',
  subject: 'Your sign-in link',
  text: 'Open http://auth.test/x',
  link: 'http://auth.test/x',
};

/** Just enough of an SMTP server to take one mail. */
async function startSmtp(refusesRecipients = false) {
  const lines: string[] = [];
  const speak = (socket: Socket) => {
    let inData = false;
    socket.write('220 test\r\n');
    socket.on('data', (chunk) => {
      for (const line of chunk
        .toString()
        .split('\r\n')
        .filter((text) => text !== '')) {
        lines.push(line);
        if (inData && line !== '.') continue;
        if (line === '.') inData = false;
        if (line === 'DATA') inData = true;
        const isRefused = refusesRecipients && line.startsWith('RCPT');
        socket.write(
          isRefused
            ? '550 no\r\n'
            : line === 'DATA'
              ? '354 go\r\n'
              : line === 'QUIT'
                ? '221 bye\r\n'
                : '250 ok\r\n',
        );
      }
    });
    socket.on('error', () => socket.destroy());
  };
  const server = createServer(speak);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port.');
  return { url: new Secret(`smtp://127.0.0.1:${address.port}`), lines, close: () => server.close() };
}

describe('mailers', () => {
  it('send over SMTP', async () => {
    const smtp = await startSmtp();
    await createSmtpMailer({ url: smtp.url, from: 'Cortex <cortex@example.com>' }).send(mail);
    expect(smtp.lines).toContain('RCPT TO:<ada@example.com>');
    expect(smtp.lines).toContain('Subject: Your sign-in link');
    expect(smtp.lines).toContain('Open http://auth.test/x');
    smtp.close();
  });

  it('reject where the server does', async () => {
    const smtp = await startSmtp(true);
    await expect(createSmtpMailer({ url: smtp.url, from: 'c@example.com' }).send(mail)).rejects.toThrow();
    smtp.close();
  });

  it('print the link', async () => {
    const lines: string[] = [];
    await createPrintMailer((line) => lines.push(line)).send(mail);
    expect(lines).toEqual(['Sign-in link for ada@example.com: http://auth.test/x']);
  });

  it('keep the newest link for a program that waits for it, and hand it on', async () => {
    const lines: string[] = [];
    const inbox = createInbox(createPrintMailer((line) => lines.push(line)));
    const waiting = inbox.readLink('ada@example.com');
    await inbox.send({ ...mail, to: 'bob@example.com', link: 'http://auth.test/bob' });
    await inbox.send(mail);
    expect(await waiting).toBe('http://auth.test/x');
    await inbox.send({ ...mail, link: 'http://auth.test/y' });
    expect(await inbox.readLink('ada@example.com')).toBe('http://auth.test/y');
    expect(lines).toHaveLength(3);
  });

  it('forget all but the last hundred addresses', async () => {
    const inbox = createInbox();
    for (let n = 0; n < 101; n += 1) await inbox.send({ ...mail, to: `u${n}@example.com` });
    await expect(inbox.readLink('u0@example.com', 5)).rejects.toThrow();
    expect(await inbox.readLink('u100@example.com', 5)).toBe(mail.link);
  });
});
