/** Accounts, as the operator sees and changes them. Nothing of what they say, or with whom. */
import { hex } from '../../../protocol/index.js';
import { isDamage, SecondFactor, type Account } from '../../store/store.js';
import type { Context } from '../context.js';
import { eraseAccount, forgetAccount } from '../erasure.js';
import { idKey } from '../keys.js';
import { endSessions } from '../sessions.js';
import type { Args } from './args.js';
import type { Command } from './host.js';
import { ControlRefusal } from './refusal.js';
import type { UserFacts, UserRow } from './types.js';

const factors: Readonly<Record<SecondFactor, UserFacts['secondFactor']>> = {
  [SecondFactor.none]: 'none',
  [SecondFactor.totp]: 'totp',
  [SecondFactor.mail]: 'mail',
};

/** One after another, as the reader takes them: there may be very many. */
export const users: Command = async ({ server: { context } }, args, rows) => {
  args.end();
  let count = 0;
  for await (const account of context.store.accounts()) {
    await rows(await rowOf(context, account));
    count++;
  }
  return { users: count };
};

async function rowOf({ store, presence }: Context, { uid, name, created }: Account): Promise<UserRow> {
  const queued = await store.queueLength(uid).catch((error: unknown) => {
    if (!isDamage(error)) throw error;
    return null;
  });
  return { name, uid: hex(uid), created, online: presence.get(idKey(uid)) !== undefined, queued };
}

/** @throws ControlRefusal */
async function found({ store }: Context, args: Args): Promise<Account> {
  const name = args.name('name');
  args.end();
  const account = await store.accountByName(name);
  if (!account) throw new ControlRefusal('unknown', `nobody here has the name @${name} — cadenasd user list shows all`);
  return account;
}

export const user: Command = async ({ server: { context } }, args) => {
  const { store, now } = context;
  const account = await found(context, args);
  const [grants, owned] = await Promise.all([store.grants(account.uid), store.roomsOf(account.uid)]);
  const rooms = await Promise.all(owned.map(async (id) => (await store.roomById(id))?.name));
  const facts: UserFacts = {
    ...(await rowOf(context, account)),
    sessions: grants.filter(({ ends }) => ends > now()).length,
    secondFactor: factors[account.security.factor],
    rooms: rooms.filter((name) => name !== undefined).sort(),
  };
  return facts;
};

/** As somebody does it themselves: sessions end, members of their rooms are told, what waits for them is gone. */
export const deleteUser: Command = async ({ server: { context } }, args) => {
  const { logins, log } = context;
  const account = await found(context, args);
  const { uid, name } = account;
  const isGone = await logins.inTurn(idKey(uid), async () => {
    await endSessions(context, uid);
    const me = await context.store.accountByUid(uid);
    return me ? eraseAccount(context, me) : false;
  });
  if (!isGone)
    throw new ControlRefusal('unknown', `@${name} has just been deleted by somebody else — nothing is left to do`);
  await forgetAccount(context, uid);
  log.info('account deleted by the operator', { uid: hex(uid) });
  return { name, uid: hex(uid) };
};
