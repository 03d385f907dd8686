/** How a core comes about: from a registration, one that was cut off, or a profile that exists. */
import { toName } from '../../protocol/index.js';
import { ClientCore } from './core.js';
import { begunOtherwise, ClientError, error } from './errors.js';
import {
  checkSecrets,
  IDENTITY_FILE,
  openIdentity,
  readIdentity,
  UNFINISHED_FILE,
  type Me,
  type PublicIdentity,
  type Secrets,
} from './identity.js';
import { Link, type OnEvent } from './link.js';
import { register } from './login.js';
import type { ClientPorts } from './ports.js';

/** Who a profile belongs to, without its secrets. undefined where nobody registered. */
export async function identityOf(ports: Pick<ClientPorts, 'storage'>): Promise<PublicIdentity | undefined> {
  const file = await ports.storage.read(IDENTITY_FILE);
  return file && readIdentity(file);
}

/**
 * Makes an account and a profile, and logs in on the same connection.
 * @throws ClientError
 */
export async function registerCore(ports: ClientPorts, typed: string, secrets: Secrets): Promise<ClientCore> {
  const name = toName(typed);
  if (name === undefined) throw error('bad-name', typed);
  checkSecrets(secrets);
  const known = await identityOf(ports);
  if (known) throw error('registered', known.name);
  const resumed = await resumeRegistration(ports, name, secrets);
  if (resumed) return resumed;
  let target: OnEvent | undefined;
  let core: ClientCore | undefined;
  let identity: Uint8Array | undefined;
  const link = await Link.open(ports, (from, struct, opcode) => target?.(from, struct, opcode));
  try {
    const me = await register(ports, link, name, secrets, (sealed) => {
      identity = sealed;
      return ports.storage.replace(UNFINISHED_FILE, sealed);
    });
    if (!identity) throw error('damaged-identity');
    await ports.storage.replace(IDENTITY_FILE, identity);
    await ports.storage.remove(UNFINISHED_FILE);
    core = await ClientCore.start(ports, me);
    target = core.onEvent;
    await core.connect(link);
    return core;
  } catch (thrown) {
    link.fail(error('disconnected'));
    await core?.close();
    /* The daemon said no: there is no account that these keys could still belong to. */
    if (identity && isOneOf(thrown, 'name-taken', 'keys-refused')) await ports.storage.remove(UNFINISHED_FILE);
    throw thrown;
  }
}

function isOneOf(thrown: unknown, ...codes: readonly string[]): boolean {
  return thrown instanceof ClientError && codes.includes(thrown.code);
}

/** The name of a registration of which nobody knows whether the daemon finished it. */
export async function unfinishedOf(ports: Pick<ClientPorts, 'storage'>): Promise<string | undefined> {
  const file = await ports.storage.read(UNFINISHED_FILE);
  return file && readIdentity(file).name;
}

/** A registration whose last answer was lost: if the daemon knows the account, it is ours. */
async function resumeRegistration(ports: ClientPorts, name: string, secrets: Secrets): Promise<ClientCore | undefined> {
  const file = await ports.storage.read(UNFINISHED_FILE);
  if (!file || readIdentity(file).name !== name) return undefined;
  const me = await openUnfinished(ports, name, file, secrets);
  const core = await ClientCore.start(ports, me);
  try {
    await core.connect();
  } catch (thrown) {
    await core.close();
    if (!isOneOf(thrown, 'login-refused')) throw thrown;
    return undefined; // the daemon did not finish it either: begin anew
  }
  await ports.storage.replace(IDENTITY_FILE, file);
  await ports.storage.remove(UNFINISHED_FILE);
  return core;
}

/** Other secrets must not begin anew: the account may exist, and its only keys would be lost. */
async function openUnfinished(ports: ClientPorts, name: string, file: Uint8Array, secrets: Secrets): Promise<Me> {
  try {
    return await openIdentity(ports.crypto, ports.linked.network, file, secrets);
  } catch (thrown) {
    if (isOneOf(thrown, 'wrong-password')) throw begunOtherwise(name, 'wrong-password');
    if (isOneOf(thrown, 'wrong-words')) throw begunOtherwise(name, 'wrong-words');
    throw thrown;
  }
}

/** @throws ClientError `no-profile`, `wrong-password`, `wrong-words`, `damaged-…` */
export async function openCore(ports: ClientPorts, profile: string, secrets: Secrets): Promise<ClientCore> {
  const file = await ports.storage.read(IDENTITY_FILE);
  if (!file) throw error('no-profile', profile);
  const me = await openIdentity(ports.crypto, ports.linked.network, file, secrets);
  return ClientCore.start(ports, me);
}
