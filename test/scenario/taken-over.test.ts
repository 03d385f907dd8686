/**
 * What changes an account, while another login of the same account waits for the disk (SPEC 6.11): whichever was first,
 * the other side does not go on as if nothing had been.
 */
import { setImmediate as soon, setTimeout as delay } from 'node:timers/promises';
import { test } from 'tap';
import { nodeSync } from '../../src/crypto/index.js';
import { ID, structs, type Struct, type Values } from '../../protocol/index.js';
import { recoveryHash, withSecurity } from '../../src/server/factors.js';
import { idKey } from '../../src/server/keys.js';
import { StorageError, type Store } from '../../src/store/store.js';
import { account } from '../contract/cases.js';
import { sessionAt, startFuzzed, type FuzzedDaemon, type Parts } from '../fuzz/daemon-server.js';
import { beginRecovery, rekeyed, renew } from '../support/raw-keys.js';
import {
  logIn,
  makeUser,
  noCode,
  registerUser,
  requestOf,
  type FactorCode,
  type LoginChange,
  type RawConnection,
  type RawUser,
  type Received,
} from '../support/raw.js';
import { enableTotp, noMail, totp } from '../support/second-factor.js';
import type { Teardown } from '../support/temp.js';

type Call = (...given: unknown[]) => unknown;

/** The store, where some calls are `over`'s. */
function within(store: Store, over: (name: string, call: Call) => Call | undefined): Pick<Parts, 'store'> {
  const get = (target: Store, name: string): unknown => {
    const value: unknown = Reflect.get(target, name);
    if (typeof value !== 'function') return value;
    const call: Call = (...given) => Reflect.apply(value, target, given);
    return over(name, call) ?? call;
  };
  return { store: new Proxy(store, { get: (target, name) => get(target, String(name)) }) };
}

/** A disk that takes 20 ms for a grant, as a real one may. */
const slowly = ({ store }: Parts): Pick<Parts, 'store'> =>
  within(store, (name, call) =>
    name === 'saveGrant' || name === 'queueLength'
      ? async (...given) => {
          const result: unknown = await call(...given);
          await delay(20);
          return result;
        }
      : undefined,
  );

const start = (t: Teardown): Promise<FuzzedDaemon> => startFuzzed(t, slowly);

async function newPerson(daemon: FuzzedDaemon): Promise<{ readonly user: RawUser; readonly raw: RawConnection }> {
  const user = await makeUser('alice');
  const raw = await sessionAt(daemon);
  await registerUser(raw, user);
  await logIn(raw, user);
  return { user, raw };
}

/** A login up to `pass`. @returns sends that */
function halfway(raw: RawConnection, user: RawUser): Promise<(code?: FactorCode) => Promise<Received>> {
  return new Promise((resolve, reject) => {
    let code: FactorCode | undefined;
    const proven = (): Promise<void> =>
      new Promise((go) => {
        resolve((given) => {
          code = given;
          go();
          return answer;
        });
      });
    const change: LoginChange = {
      get code() {
        return code;
      },
      proven,
    };
    const answer = logIn(raw, user, change);
    answer.catch(reject);
  });
}

/** The code of an answer; undefined: the connection ended before it. */
const codeOr = (answer: Promise<Received>): Promise<number | undefined> =>
  answer.then(
    ({ header }) => header.code,
    () => undefined,
  );

/** What B's `pass`, and A's command right behind it, came to. */
async function both(
  pass: (code?: FactorCode) => Promise<Received>,
  command: () => Promise<Received>,
  code?: FactorCode,
): Promise<{ readonly passed: number | undefined; readonly done: number | undefined }> {
  const passed = codeOr(pass(code));
  await soon();
  const done = codeOr(command());
  const all = { passed: await passed, done: await done };
  await delay(50);
  return all;
}

test('a deletion beside a login: one of them is done', async (t) => {
  const daemon = await start(t);
  const { user, raw } = await newPerson(daemon);
  const other = await sessionAt(daemon);
  const pass = await halfway(other, user);
  const { passed, done } = await both(pass, () => raw.ask(structs.dlac, { words: user.proof, ...noCode }));
  const isThere = (await daemon.store.accountByUid(user.uid)) !== undefined;
  const isOn = daemon.context.presence.get(idKey(user.uid)) !== undefined;
  t.equal(passed, 200);
  t.not(done, 200);
  t.ok(isThere && isOn, 'nobody is there without an account');
  t.same(daemon.troubles, []);
});

test('a renewal beside a login: one of them is done', async (t) => {
  const daemon = await start(t);
  const { user, raw } = await newPerson(daemon);
  const next = await rekeyed(user, user.w);
  const other = await sessionAt(daemon);
  const pass = await halfway(other, user);
  let passed: Promise<number | undefined> | undefined;
  const ask = raw.ask.bind(raw);
  raw.ask = async (struct, values, id) => {
    if ((struct as Struct) === structs.rkey2) {
      passed = codeOr(pass());
      await soon();
    }
    return ask(struct, values, id);
  };
  t.not(await codeOr(renew(raw, user, next, user.proof)), 200);
  t.equal(await passed, 200);
  t.same((await daemon.store.accountByUid(user.uid))?.sig, user.sig.modulus, 'the keys by which somebody is there');
  t.notOk(other.isClosed);
});

test('a second factor beside a login: nobody is there who never showed a code', async (t) => {
  const daemon = await start(t);
  const { user, raw } = await newPerson(daemon);
  const other = await sessionAt(daemon);
  const pass = await halfway(other, user);
  const first = await raw.ask(structs.fact1, { kind: 1, words: user.proof, ...noCode, ...noMail });
  const secret = (first.values as Values<typeof structs.fact1Answer>).secret.slice();
  const { passed, done } = await both(pass, () => raw.ask(structs.fact2, { code: totp(secret, -1).code }));
  t.equal(passed, 200);
  t.not(done, 200);
  t.equal((await daemon.store.accountByUid(user.uid))?.security.factor, 0);
});

test('all other sessions are ended beside a login by the grant of one', async (t) => {
  const daemon = await start(t);
  const { user, raw: before } = await newPerson(daemon);
  before.close();
  const thief = await sessionAt(daemon);
  const grant = ((await logIn(thief, user)).values as Values<typeof structs.passAnswer>).grant.slice();
  const raw = await sessionAt(daemon);
  await logIn(raw, user);
  const other = await sessionAt(daemon);
  const pass = await halfway(other, user);
  const end = (): Promise<Received> => raw.ask(structs.rvok, { session: new Uint8Array(ID) });
  const { passed, done } = await both(pass, end, { factor: 3, code: grant });
  t.equal(passed, 200);
  t.not(done, 200, 'whoever was thrown out does not read that the others were');
});

test('a session that ends while somebody comes back to it is over', async (t) => {
  const daemon = await start(t);
  const { user } = await newPerson(daemon);
  const other = await sessionAt(daemon);
  const pass = await halfway(other, user);
  const [known] = await daemon.store.grants(user.uid);
  const passed = codeOr(pass());
  let made = undefined as Uint8Array | undefined;
  while (!made)
    made = (await delay(1).then(() => daemon.store.grants(user.uid))).find(({ hash }) => hash !== known?.hash)?.hash;
  await daemon.store.revokeGrant(user.uid, made);
  t.equal(await passed, 401);
});

test('a request that waits for the disk while its keys are replaced is none of the account’s any more', async (t) => {
  let read = (): void => undefined;
  let go = (): void => undefined;
  const reads = new Promise<void>((resolve) => (read = resolve));
  const gate = new Promise<void>((resolve) => (go = resolve));
  const daemon = await startFuzzed(t, ({ store }) =>
    within(store, (name, call) =>
      name === 'accountByName'
        ? async (...given) => {
            const found = await call(...given);
            if (given[0] === 'bobby') {
              read();
              await gate;
            }
            return found;
          }
        : undefined,
    ),
  );
  const { user, raw } = await newPerson(daemon);
  const bob = account('bobby');
  await daemon.store.createAccount(bob);
  const code = nodeSync.random(10);
  const recovery = [recoveryHash({ sync: nodeSync }, user.uid, code)];
  await daemon.store.changeAccount(user.uid, (one) => withSecurity(one, { recovery }));
  raw.send(structs.jmpu, await requestOf(user, 'bobby'));
  await reads;
  const begun = await beginRecovery(await sessionAt(daemon), await rekeyed(user), code);
  t.equal((await begun.finish?.())?.header.code, 200);
  go();
  await soon(); // it is in turn by now
  await daemon.context.logins.inTurn(idKey(user.uid), () => Promise.resolve());
  t.equal(await daemon.store.consent(user.uid, bob.uid), undefined);
  t.equal(await daemon.store.queueLength(bob.uid), 0, 'bob hears nothing of the former keys');
});

test('a disk that fails under a recovery or renewal: nothing is half done', async (t) => {
  let failing = '';
  const daemon = await startFuzzed(t, ({ store }) =>
    within(store, (name, call) => (...given) => {
      if (name !== failing) return call(...given);
      failing = '';
      return Promise.reject(new StorageError('full', true));
    }),
  );
  const { user, raw } = await newPerson(daemon);
  const renewed = await rekeyed(user, user.w);
  const keysOf = async (): Promise<Uint8Array | undefined> => (await daemon.store.accountByUid(user.uid))?.sig;
  failing = 'grants';
  t.equal(await codeOr(renew(raw, user, renewed, user.proof)), 507);
  t.same(await keysOf(), user.sig.modulus, 'renewal: none of it');
  const { codes } = await enableTotp(raw, user);
  const next = await rekeyed(user);
  const recover = async (): Promise<number> => {
    const { finish } = await beginRecovery(await sessionAt(daemon), next, codes[0] ?? new Uint8Array(0));
    return (await finish?.())?.header.code ?? 0;
  };
  failing = 'revokeGrant';
  t.equal(await recover(), 507);
  t.same(await keysOf(), user.sig.modulus, 'recovery: the former keys');
  await raw.closed;
  failing = 'clearAttempts';
  t.equal(await recover(), 200, 'what is cleaned up later does not say that the keys are not in force');
  t.same(await keysOf(), next.sig.modulus);
  t.same(await daemon.store.grants(user.uid), []);
});
