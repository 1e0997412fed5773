import { constants, type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** One open file of a chain. Writes say where, so that writing again what may be lost is always right. */
export interface AuditFile {
  readonly path: string;
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Resolves when everything written is on the disk. */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Makes a file, 0600, and its entry in the folder durable. An empty one may be there already, left by a start or a
 * change of file that was cut short; the caller holds the chain's lock. A link in its place is not followed: it would
 * put the records where somebody else wants them.
 */
export async function createAuditFile(path: string): Promise<AuditFile> {
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    const { size } = await handle.stat();
    if (size > 0) throw new Error(`${path} is not empty`);
    const folder = await open(dirname(path), constants.O_RDONLY);
    await folder.sync().finally(() => folder.close());
  } catch (error) {
    await handle.close();
    throw error;
  }
  return auditFile(path, handle);
}

/** Opens a file of a chain to go on in it. */
export async function openAuditFile(path: string): Promise<AuditFile> {
  return auditFile(path, await open(path, constants.O_RDWR | constants.O_NOFOLLOW));
}

function auditFile(path: string, handle: FileHandle): AuditFile {
  return {
    path,
    async write(bytes, position) {
      let done = 0;
      while (done < bytes.length) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
        if (bytesWritten === 0) throw new Error('the file took no bytes');
        done += bytesWritten;
      }
    },
    sync: () => handle.datasync(),
    truncate: (length) => handle.truncate(length),
    close: () => handle.close(),
  };
}
