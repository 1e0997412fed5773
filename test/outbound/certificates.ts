import { join } from 'node:path';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';

export interface Certificates {
  /** PEM of the authority that signed them. */
  readonly ca: string;
  readonly key: string;
  /** For `backend.example` and 127.0.0.1. */
  readonly good: string;
  /** For `other.example`, by the same authority. */
  readonly otherName: string;
  /** For `backend.example`, until yesterday. */
  readonly expired: string;
  /** For `backend.example`, signed by itself. */
  readonly selfSigned: string;
}

/** Makes certificates with openssl. */
export async function makeCertificates(): Promise<Certificates> {
  await using folder = await createTempFolder();
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';
  await openssl(folder, `req -x509 ${key} -keyout ca.key -out ca.pem -days 30 -subj /CN=authority`);
  await openssl(folder, `req -new ${key} -keyout server.key -out server.csr -subj /CN=server`);
  const names = 'DNS:backend.example,IP:127.0.0.1';
  const sign = async (name: string, altNames: string, dates: string): Promise<string> => {
    await Bun.write(join(folder.path, 'names'), `subjectAltName=${altNames}`);
    const authority = '-CA ca.pem -CAkey ca.key -CAcreateserial';
    await openssl(folder, `x509 -req -in server.csr ${authority} -extfile names ${dates} -out ${name}.pem`);
    return read(`${name}.pem`);
  };
  const read = (name: string): Promise<string> => Bun.file(join(folder.path, name)).text();
  const selfSigned = `req -x509 -key server.key -out self.pem -days 2 -subj /CN=server -addext subjectAltName=${names}`;
  await openssl(folder, selfSigned);
  return {
    ca: await read('ca.pem'),
    key: await read('server.key'),
    good: await sign('good', names, '-days 30'),
    otherName: await sign('other', 'DNS:other.example', '-days 2'),
    expired: await sign('expired', names, '-days -1'),
    selfSigned: await read('self.pem'),
  };
}

async function openssl(folder: TempFolder, command: string): Promise<void> {
  const run = Bun.spawn(['openssl', ...command.split(' ')], {
    cwd: folder.path,
    stdout: 'ignore',
    stderr: 'pipe',
  });
  if ((await run.exited) !== 0) throw new Error(await new Response(run.stderr).text());
}
