/**
 * A change of password or words that was cut off: two files of which one holds, and nobody but the daemon knows which.
 * Both stay until a login says it (SPEC 6.11).
 */
import type { Desk } from './desk.js';
import { ClientError, error, storageError } from './errors.js';
import {
  IDENTITY_FILE,
  KEYS_FILE,
  NEXT_FILE,
  openIdentity,
  type Candidate,
  type Me,
  type Secrets,
} from './identity.js';
import type { Link } from './link.js';
import { login, type SessionGrant } from './login.js';
import type { ClientPorts, ClientStorage } from './ports.js';
import type { FactorCode } from './second-factor.js';

type Unlocking = Pick<ClientPorts, 'crypto' | 'linked' | 'storage'>;

/**
 * Whoever the secrets open the profile for.
 * @throws ClientError `no-profile`, `wrong-password`, `wrong-words`, `damaged-identity`, `newer-identity`
 */
export async function unlock(ports: Unlocking, profile: string, secrets: Secrets): Promise<Me> {
  const { storage, crypto, linked } = ports;
  const now = await storage.read(IDENTITY_FILE);
  if (!now) throw error('no-profile', profile);
  const next = await storage.read(NEXT_FILE);
  if (!next) return openIdentity(crypto, linked.network, now, secrets);
  const opened: (Me & Candidate)[] = [];
  const refused: ClientError[] = [];
  for (const [file, bytes] of [
    [NEXT_FILE, next],
    [IDENTITY_FILE, now],
  ] as const)
    try {
      opened.push({ ...(await openIdentity(crypto, linked.network, bytes, secrets)), file });
    } catch (thrown) {
      if (!isOneOf(thrown, 'wrong-password', 'wrong-words')) throw thrown;
      refused.push(thrown);
    }
  const [first] = opened;
  if (!first) throw refused.find(({ code }) => code === 'wrong-words') ?? error('wrong-password');
  const { file: _file, ...me } = first;
  return { ...me, unsettled: opened.map(candidateOf) };
}

function isOneOf(thrown: unknown, ...codes: readonly string[]): thrown is ClientError {
  return thrown instanceof ClientError && codes.includes(thrown.code);
}

/**
 * It is known which secrets hold, and none of these files says that something is under way.
 * @throws ClientError `settle-first`
 */
export async function mustBeSettled(desk: Desk, ...files: readonly string[]): Promise<void> {
  for (const file of files) if (await desk.ports.storage.read(file)) throw error('settle-first');
  if (desk.me.unsettled) throw error('settle-first');
}

export function candidateOf({ file, enc, sig, password, w }: Candidate): Candidate {
  return { file, enc, sig, password, w };
}

/** At once: a login in the meantime has nothing to settle any more. What stays on the disk the next start settles. */
function hold(me: Me, { file: _file, ...held }: Candidate): void {
  Object.assign(me, held);
  me.unsettled = undefined;
}

/**
 * This one holds: its file is the identity from now on, and there is no other.
 * @throws ClientError `storage`; `settle-first` where keys are under way, which would be lost
 */
export async function settle(storage: ClientStorage, me: Me, candidate: Candidate): Promise<void> {
  hold(me, candidate);
  const isNext = candidate.file === NEXT_FILE;
  if (isNext && (await storage.read(KEYS_FILE))) throw error('settle-first');
  try {
    const next = isNext ? await storage.read(NEXT_FILE) : undefined;
    if (next) await storage.replace(IDENTITY_FILE, next);
    await storage.remove(NEXT_FILE);
  } catch (thrown) {
    throw storageError(thrown);
  }
}

/**
 * A login by whichever of the secrets holds, which settles it.
 * @throws ClientError as `login`; `former-secrets`, `newer-secrets` where those that were typed are not in use
 */
export async function loginEither(
  ports: ClientPorts,
  link: Link,
  me: Me,
  grant: Uint8Array | undefined,
  typed: FactorCode | undefined,
): Promise<SessionGrant> {
  if (!me.unsettled) return login(ports, link, me, grant, typed);
  const refused: ClientError[] = [];
  for (const candidate of me.unsettled)
    try {
      const made = await login(ports, link, { ...me, ...candidate }, grant, typed, () => {
        hold(me, candidate); // what comes behind the answer is for these keys
      });
      await settle(ports.storage, me, candidate);
      return made;
    } catch (thrown) {
      if (!isRefused(thrown, grant ?? typed)) throw thrown;
      refused.push(thrown);
    }
  /* The daemon does not tell wrong words from a wrong code: if one of them may be the code, it is said so. */
  throw refused.find(({ code }) => code !== 'login-refused') ?? notInUse(me);
}

/** The login is over and another may follow; a code that was asked for leaves it open. */
function isRefused(thrown: unknown, shown: unknown): thrown is ClientError {
  return isOneOf(thrown, 'login-refused', ...(shown === undefined ? [] : ['wrong-code', 'code-needed']));
}

function notInUse({ name, unsettled = [] }: Me): ClientError {
  const [only, other] = unsettled;
  if (!only || other) return error('login-refused', name);
  return error(only.file === NEXT_FILE ? 'newer-secrets' : 'former-secrets', name);
}
