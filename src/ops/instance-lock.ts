/** One process a folder: an abstract socket named by the folder's device and inode, gone with its process. */
import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';

export interface InstanceLock {
  release(): void;
}

/** undefined: another process has it. @throws where the folder can't be read */
export async function takeLock(folder: string): Promise<InstanceLock | undefined> {
  const { dev, ino } = await stat(folder, { bigint: true });
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen({ path: `\0cadenas-${String(dev)}-${String(ino)}` }, () => {
      server.unref();
      resolve({ release: () => server.close() });
    });
  });
}
