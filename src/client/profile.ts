/** How a core comes about: from a registration, one that was cut off, or a profile that exists. */
import { readTypedCode, RECOVERY_CODE, toName } from '../../protocol/index.js';
import { ClientCore } from './core.js';
import { begunOtherwise, ClientError, error } from './errors.js';
import {
  checkSecrets,
  DELETION_FILE,
  drawDraft,
  IDENTITY_FILE,
  isRecovery,
  readIdentity,
  UNFINISHED_FILE,
  unlockIdentity,
  type Draft,
  type Me,
  type PublicIdentity,
  type Secrets,
} from './identity.js';
import { clearProfile } from './leftovers.js';
import { Link, type OnEvent } from './link.js';
import { checkApplication, register, type Application, type Safe } from './login.js';
import { nextIdentity } from './own-account.js';
import type { ClientPorts } from './ports.js';
import { recover } from './recovery.js';
import { unlock } from './unsettled.js';

/** Who a profile belongs to, without its secrets. undefined where nobody registered. */
export async function identityOf(ports: Pick<ClientPorts, 'storage'>): Promise<PublicIdentity | undefined> {
  const file = await ports.storage.read(IDENTITY_FILE);
  return file && readIdentity(file);
}

/**
 * Makes an account and a profile, and logs in on the same connection.
 * @throws ClientError
 */
export async function registerCore(
  ports: ClientPorts,
  typed: string,
  secrets: Secrets,
  application: Application = {},
): Promise<ClientCore> {
  const name = toName(typed);
  if (name === undefined) throw error('bad-name', typed);
  checkSecrets(secrets);
  checkApplication(application);
  return begin(ports, name, secrets, (link, draft, safe) => register(ports, link, name, draft, application, safe));
}

/** A registration or recovery of which nobody knows whether the daemon finished it. */
interface Begun extends Draft {
  readonly file: Uint8Array;
  readonly me: Me;
}

type Make = (link: Link, draft: Draft, safe: Safe) => Promise<Me>;

/** After these the daemon has finished this attempt's step with a no; it may be because it did the one before. */
const turnedDown = [
  'recovery-refused',
  'name-taken',
  'keys-refused',
  'invitation-needed',
  'invitation-refused',
  'refused',
];

/**
 * What a registration and a recovery have in common: the identity is on the disk before the daemon is asked to finish, so
 * that a lost answer loses no account. An attempt after it has the same keys, since the daemon may be at the former still:
 * whichever it does, they are those on the disk.
 */
async function begin(ports: ClientPorts, name: string, secrets: Secrets, make: Make): Promise<ClientCore> {
  const { storage } = ports;
  const known = await identityOf(ports);
  if (known) throw error('registered', known.name);
  const begun = await findBegun(ports, name, secrets);
  if (!begun) {
    await clearProfile(storage);
    return attempt(ports, make, () => drawDraft(ports.crypto, secrets), undefined);
  }
  const resumed = await resume(ports, begun);
  if (resumed) return resumed;
  try {
    return await attempt(ports, make, () => Promise.resolve(begun), begun.file);
  } catch (thrown) {
    if (!isOneOf(thrown, ...turnedDown)) throw thrown;
    const late = await resume(ports, begun);
    if (late) return late;
    if (isOneOf(thrown, 'name-taken')) {
      /* It always is where an account is being recovered. */
      if (isRecovery(begun.file)) throw error('still-begun', name);
      /* The name is somebody else's: only then it is sure that the former attempt comes to nothing. */
      await storage.remove(UNFINISHED_FILE);
    }
    /* These keys are in use for the daemon as long as it is at the former attempt. */
    throw isOneOf(thrown, 'keys-refused', 'refused') ? error('still-begun', name) : thrown;
  }
}

/** @param former what is on the disk of an attempt before, and stays where this one comes to nothing */
async function attempt(
  ports: ClientPorts,
  make: Make,
  draft: () => Promise<Draft>,
  former: Uint8Array | undefined,
): Promise<ClientCore> {
  const { storage } = ports;
  let target: OnEvent | undefined;
  let core: ClientCore | undefined;
  let kept: Uint8Array | undefined;
  const link = await Link.open(ports, (from, struct, opcode) => target?.(from, struct, opcode));
  try {
    const me = await make(link, await draft(), {
      keep: (sealed) => {
        kept = sealed;
        return storage.replace(UNFINISHED_FILE, sealed);
      },
      drop: async () => {
        if (!kept) return;
        kept = undefined;
        await (former ? storage.replace(UNFINISHED_FILE, former) : storage.remove(UNFINISHED_FILE));
      },
    });
    if (!kept) throw error('damaged-identity');
    await storage.replace(IDENTITY_FILE, kept);
    await storage.remove(UNFINISHED_FILE);
    core = await ClientCore.start(ports, me);
    target = core.onEvent;
    await core.connect(link);
    return core;
  } catch (thrown) {
    link.fail(error('disconnected'));
    await core?.close();
    throw thrown;
  }
}

function isOneOf(thrown: unknown, ...codes: readonly string[]): boolean {
  return thrown instanceof ClientError && codes.includes(thrown.code);
}

/** The name of a registration or recovery of which nobody knows whether the daemon finished it. */
export async function unfinishedOf(ports: Pick<ClientPorts, 'storage'>): Promise<string | undefined> {
  const file = await ports.storage.read(UNFINISHED_FILE);
  return file && readIdentity(file).name;
}

/** @throws ClientError `registration-begun` where it is of another name; those of `openUnfinished` */
async function findBegun(ports: ClientPorts, name: string, secrets: Secrets): Promise<Begun | undefined> {
  const file = await ports.storage.read(UNFINISHED_FILE);
  if (!file) return undefined;
  const whose = readIdentity(file).name;
  if (whose !== name) throw error('registration-begun', whose); // its only keys would be lost
  return { file, ...(await openUnfinished(ports, name, file, secrets)) };
}

/** One whose last answer was lost: if the daemon knows the account by these keys, it is ours. */
async function resume(ports: ClientPorts, { me, file }: Begun): Promise<ClientCore | undefined> {
  const core = await ClientCore.start(ports, me);
  try {
    await core.connect();
  } catch (thrown) {
    await core.close();
    if (!isOneOf(thrown, 'login-refused')) throw thrown;
    return undefined; // the daemon did not finish it, or not yet
  }
  await ports.storage.replace(IDENTITY_FILE, file);
  await ports.storage.remove(UNFINISHED_FILE);
  return core;
}

/** Other secrets must not begin anew: the account may exist, and its only keys would be lost. */
async function openUnfinished(ports: ClientPorts, name: string, file: Uint8Array, secrets: Secrets) {
  try {
    return await unlockIdentity(ports.crypto, ports.linked.network, file, secrets);
  } catch (thrown) {
    if (isOneOf(thrown, 'wrong-password')) throw begunOtherwise(name, 'wrong-password');
    if (isOneOf(thrown, 'wrong-words')) throw begunOtherwise(name, 'wrong-words');
    throw thrown;
  }
}

/** The code that somebody typed. @throws ClientError `bad-recovery-code` */
export function checkRecoveryCode(typed: string): Uint8Array {
  const bytes = readTypedCode(typed, RECOVERY_CODE);
  if (!bytes) throw error('bad-recovery-code');
  return bytes;
}

/**
 * Makes a profile of an account whose keys are lost, with new ones and new words, and logs in on the same connection.
 * @param typed the name @param code as typed
 * @throws ClientError
 */
export async function recoverCore(
  ports: ClientPorts,
  typed: string,
  code: string,
  secrets: Secrets,
): Promise<ClientCore> {
  const name = toName(typed);
  if (name === undefined) throw error('bad-name', typed);
  checkSecrets(secrets);
  const bytes = checkRecoveryCode(code);
  return begin(ports, name, secrets, (link, draft, safe) => recover(ports, link, name, bytes, draft, safe));
}

/** The daemon was asked to delete this account, and it is not known whether it did. */
export async function isDeleting(ports: Pick<ClientPorts, 'storage'>): Promise<boolean> {
  return (await ports.storage.read(DELETION_FILE)) !== undefined;
}

/** @throws ClientError `no-profile`, `wrong-password`, `wrong-words`, `damaged-…` */
export async function openCore(ports: ClientPorts, profile: string, secrets: Secrets): Promise<ClientCore> {
  const me = await unlock(ports, profile, secrets);
  return ClientCore.start(ports, me, await nextIdentity(ports, secrets));
}
