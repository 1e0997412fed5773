import { createTransport } from 'nodemailer';
import type { Secret } from '#kernel/secret.ts';

export interface SignInMail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** The link inside `text`, for mailers that only show it. */
  readonly link: string;
}

/** How a sign-in link reaches its reader. Rejects where it could not be handed over. */
export interface Mailer {
  send(mail: SignInMail): Promise<void>;
}

/** Sends over SMTP. `url`: `smtps://user:password@host:465`, or `smtp://host:587` (STARTTLS where offered). */
export function createSmtpMailer(options: { readonly url: Secret; readonly from: string }): Mailer {
  const timeouts = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 };
  const transport = createTransport({ url: options.url.reveal(), ...timeouts });
  return {
    async send(mail) {
      await transport.sendMail({ from: options.from, to: mail.to, subject: mail.subject, text: mail.text });
    },
  };
}

/** Shows the link on the terminal: for a demo on one's own machine only, since whoever reads it can sign in. */
export function createPrintMailer(print: (line: string) => void): Mailer {
  return {
    async send(mail) {
      print(`Sign-in link for ${mail.to}: ${mail.link}`);
    },
  };
}

export interface Inbox extends Mailer {
  /** The newest link sent to `email`; waits for it at most `timeoutMs`. */
  readLink(email: string, timeoutMs?: number): Promise<string>;
}

/** Keeps the newest link of the last 100 addresses, so that a program can sign in; hands every mail on to `next`. */
export function createInbox(next?: Mailer): Inbox {
  const links = new Map<string, string>();
  const waiting = new Set<() => void>();

  return {
    async send(mail) {
      links.delete(mail.to);
      links.set(mail.to, mail.link);
      const oldest = links.keys().next();
      if (links.size > 100 && !oldest.done) links.delete(oldest.value);
      for (const wake of waiting) wake();
      await next?.send(mail);
    },
    async readLink(email, timeoutMs = 5_000) {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const link = links.get(email);
        const leftMs = deadline - performance.now();
        if (link !== undefined) return link;
        if (leftMs <= 0) throw new Error(`No sign-in link for ${email} came within ${timeoutMs} ms.`);
        await new Promise<void>((resolve) => {
          const wake = () => {
            clearTimeout(timer);
            waiting.delete(wake);
            resolve();
          };
          const timer = setTimeout(wake, leftMs);
          waiting.add(wake);
        });
      }
    },
  };
}
