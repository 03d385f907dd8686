/**
 * Where a generation's files are: in its folder, or, the private ones, among the credentials that a service manager hands
 * to a service (systemd's LoadCredentialEncrypted=), so that no disk has them in the clear.
 */
import { lstatSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { SECRETS, SERVER_KEY, TLS_KEY } from './files.js';
import { readCredential, readPrivateFile } from './private-files.js';
import { KeysRefusal } from './refusal.js';

/** What may be a credential. The other files hold nothing that a client is not told. */
const PRIVATE: readonly string[] = [SERVER_KEY, SECRETS, TLS_KEY];

/** The credentials of the next generation are `next.server.key` and so on, also while it is promoted. */
export type Prefix = '' | 'next.';

export interface KeyFile {
  /** where it is, or would have to be */
  readonly path: string;
  /** undefined: it is not there */
  readonly bytes: Buffer | undefined;
}

/** A generation's files by their names. @throws KeysRefusal where one is open to others, of another owner, or no file */
export type KeyFiles = (name: string) => KeyFile;

/** @param credentials folder of credentials, $CREDENTIALS_DIRECTORY; undefined: there are none */
export function keyFilesIn(folder: string, prefix: Prefix, credentials: string | undefined): KeyFiles {
  if (credentials !== undefined) checkCredentials(credentials);
  return (name) => {
    if (credentials !== undefined && PRIVATE.includes(name)) {
      const handed = join(credentials, `${prefix}${name}`);
      const bytes = readCredential(handed);
      if (bytes) return { path: handed, bytes };
    }
    const path = join(folder, name);
    return { path, bytes: readPrivateFile(path) };
  };
}

/**
 * A file that only its owner may read, or, where it lies among them, a credential; undefined where there is none.
 * @throws KeysRefusal as for private files
 */
export function readSecretFile(path: string, otherwise: string, credentials: string | undefined): Buffer | undefined {
  const isCredential = credentials !== undefined && dirname(resolve(path)) === resolve(credentials);
  return isCredential ? readCredential(path) : readPrivateFile(path, otherwise);
}

/** What to do where a file is missing. */
export function missing(name: string, prefix: Prefix): string {
  const restore = 'restore it from the backup of the keys';
  return PRIVATE.includes(name) ? `${restore}, or hand it over as the credential ${prefix}${name}` : restore;
}

function checkCredentials(path: string): void {
  const otherwise = 'have the service manager set it, or unset it';
  if (!isAbsolute(path)) throw new KeysRefusal(`$CREDENTIALS_DIRECTORY is no absolute path; ${otherwise}`);
  if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new KeysRefusal(`$CREDENTIALS_DIRECTORY, ${path}, is no folder; ${otherwise}`);
}
