/** Whatever was thrown, as the one line that a person gets. */
import { asClientError, ClientError, Exit } from '../../client/index.js';

/** A mistake that this face itself found. */
export function mistake(code: string, message: string, hint: string): ClientError {
  return new ClientError({ code, message, hint, exit: Exit.mistake });
}

const disk: ReadonlySet<string> = new Set([
  'ENOSPC',
  'EIO',
  'EROFS',
  'EDQUOT',
  'EACCES',
  'EPERM',
  'ENOTDIR',
  'EMFILE',
  'ENFILE',
]);

export function toClientError(thrown: unknown): ClientError {
  const system = (thrown ?? {}) as NodeJS.ErrnoException;
  if (thrown instanceof Error && system.syscall !== undefined && disk.has(system.code ?? ''))
    return new ClientError({
      code: 'io',
      message: `${system.path ?? 'a file'} can't be used (${system.code ?? ''})`,
      hint: 'check the disk and the folder given by --home',
      exit: Exit.network,
    });
  return asClientError(thrown, '');
}
