/** Another password, other words (SPEC 6.11): whatever breaks, the account opens, by exactly one pair of secrets. */
import tap, { test, type Test } from 'tap';
import { fileKeys, fingerprint, fromUtf8, hex, structs, typedCode, utf8 } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { openCore, registerCore, type ClientCore, type ClientPorts } from '../../src/client/index.js';
import { error } from '../../src/client/errors.js';
import {
  IDENTITY_FILE,
  KEYS_FILE,
  NEXT_FILE,
  openIdentity,
  readIdentity,
  sealIdentity,
  type Me,
  type Secrets,
} from '../../src/client/identity.js';
import { recoveryHash, sealSecret, withSecurity } from '../../src/server/factors.js';
import type { BackOff } from '../../src/server/back-off.js';
import { idKey } from '../../src/server/keys.js';
import { SecondFactor } from '../../src/store/store.js';
import type { Connection } from '../../src/transport/transport.js';
import { openLab } from '../support/room-hostile.js';
import { logIn, makeUser, registerUser, type RawConnection } from '../support/raw.js';
import { code, secrets } from './client-parties.js';
import { clientCrypto, MemoryStorage, MovableClock } from './client-support.js';

const lab = await openLab(tap);
const crypto = await clientCrypto();
const network = lab.host.linked.network;
const other: Secrets = { password: 'another horse', words: 'brook cloud window' };
let people = 0;

/** Somebody at the daemon, whose line can be cut. */
class Owner {
  storage = new MemoryStorage();
  readonly clock = new MovableClock();
  readonly name = `owner${String(people++)}`;
  #line: Connection | undefined;

  async ports(storage = this.storage): Promise<ClientPorts> {
    const connect = async (): Promise<Connection> => (this.#line = await lab.host.connect(lab.host.server));
    return { ...lab.host, connect, crypto, storage, clock: this.clock, log: () => undefined };
  }
  async register(t: Test, known = secrets): Promise<ClientCore> {
    const core = await registerCore(await this.ports(), this.name, known);
    t.teardown(() => core.close());
    return core;
  }
  async open(known: Secrets, storage = this.storage): Promise<ClientCore> {
    return openCore(await this.ports(storage), 'default', known);
  }
  /** How a login by these goes, on a disk that is this one's from then on. */
  async login(known: Secrets, codeTyped?: string): Promise<string> {
    return code(
      (async () => {
        const core = await this.open(known);
        try {
          await core.connect(undefined, codeTyped);
        } finally {
          await core.close();
        }
      })(),
    );
  }
  /** The line goes; resolves when the client knows it. */
  async cut(core: ClientCore): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      const stop = core.on(({ type }) => {
        if (type !== 'session') return;
        stop();
        resolve();
      });
    });
    this.#line?.destroy();
    await gone;
  }
  async account() {
    const found = await lab.server.store.accountByName(this.name);
    if (!found) throw new Error('no account');
    return found;
  }
}

/** The line goes in place of the answer to the next pswd2. @param did whether the daemon got it */
function loseAnswer(owner: Owner, core: ClientCore, did: boolean): void {
  lab.asked = async (from, struct, _values, next) => {
    if (from !== owner.storage || struct.name !== 'pswd2') return next();
    honest();
    if (did) await next();
    await owner.cut(core);
    throw error('disconnected');
  };
}

for (const first of ['the change', 'the renewal'])
  test(`a change of secrets and new keys at once, ${first} first: what was set last opens the account`, async (t) => {
    const owner = new Owner();
    await (await owner.register(t)).close();
    const ports = await owner.ports();
    let [held, waits, waiting] = [false, 0, (): void => undefined];
    const slowly = async (): Promise<void> => {
      if (!held) return;
      waits++;
      await new Promise<void>((resolve) => {
        const before = waiting;
        waiting = () => {
          before();
          resolve();
        };
      });
    };
    const { password, keys } = crypto;
    const slow: ClientPorts = {
      ...ports,
      crypto: {
        ...crypto,
        password: {
          ...password,
          stretch: async (...of) => {
            await slowly();
            return password.stretch(...of);
          },
        },
        keys: {
          ...keys,
          generate: async () => {
            await slowly();
            return keys.generate();
          },
        },
      },
    };
    const core = await openCore(slow, 'default', secrets);
    t.teardown(() => core.close());
    await core.connect();
    await core.call('drained', {});
    const before = (await core.call('status', {})).fingerprint;
    held = true;
    const changed = (): Promise<string> => code(change(core, secrets, other));
    const renewed = (): Promise<string> => code(core.call('renew-keys', secrets));
    const isChange = first === 'the change';
    const both = isChange ? [changed(), renewed()] : [renewed(), changed()];
    await new Promise((resolve) => setTimeout(resolve, 50));
    t.equal(waits, 1, 'one after the other');
    held = false;
    waiting();
    t.same(await Promise.all(both), ['done', isChange ? 'wrong-password' : 'done']);
    t.equal((await core.call('status', {})).fingerprint !== before, !isChange);
    await core.close();
    t.equal(await owner.login(secrets), 'wrong-password');
    t.equal(await owner.login(other), 'done');
    t.same(
      [...owner.storage.files.keys()].filter((name) => name.startsWith('identity')),
      [IDENTITY_FILE],
    );
  });

test('no change begins while new keys are under way, and neither takes the place of the other', async (t) => {
  const owner = new Owner();
  const core = await owner.register(t);
  await owner.storage.replace(KEYS_FILE, await read(owner.storage));
  t.equal(await code(change(core, secrets, other)), 'settle-first');
  await owner.storage.remove(KEYS_FILE);
  await owner.storage.replace(NEXT_FILE, await read(owner.storage));
  t.equal(await code(core.call('renew-keys', secrets)), 'settle-first');
  t.notOk(owner.storage.files.has(KEYS_FILE));
  await owner.storage.remove(NEXT_FILE);
  /* They come up while it is under way. */
  const before = await read(owner.storage);
  lab.asked = async (from, struct, _values, next) => {
    if (from === owner.storage && struct.name === 'pswd2') await owner.storage.replace(KEYS_FILE, before);
    if (from === owner.storage && struct.name === 'rkey2') await owner.storage.replace(NEXT_FILE, before);
    return next();
  };
  t.teardown(honest);
  const twin = owner.storage.copy();
  t.equal(await code(core.call('renew-keys', secrets)), 'settle-first');
  t.ok(owner.storage.files.has(KEYS_FILE), 'with the only keys that open the account now');
  t.same(await read(owner.storage), before);
  await core.close();
  await owner.storage.remove(NEXT_FILE);
  honest();
  t.equal(await owner.login(secrets), 'done');
  t.notSame(await read(owner.storage), await read(twin));
});

test('two files under the same secrets, of other keys each: those that the daemon has log in', async (t) => {
  const owner = new Owner();
  const core = await owner.register(t);
  const former = await read(owner.storage);
  await core.call('renew-keys', secrets);
  await core.close();
  await owner.storage.replace(NEXT_FILE, former);
  const again = await owner.open(secrets);
  t.teardown(() => again.close());
  await again.connect();
  t.notOk(owner.storage.files.has(NEXT_FILE));
  const { enc, sig } = await openIdentity(crypto, network, await read(owner.storage), secrets);
  const ours = hex(fingerprint(nodeSync, { enc: enc.modulus, sig: sig.modulus }));
  t.match(await again.call('status', {}), { session: 'online', fingerprint: ours });
});

test('a disk that fails behind the change: the session goes on with the words that count now', async (t) => {
  const owner = new Owner();
  const core = await owner.register(t);
  owner.storage.before = (what) => {
    if (what === `remove ${NEXT_FILE}`) throw new Error('full');
  };
  t.equal(await code(change(core, secrets, other)), 'storage');
  owner.storage.before = () => undefined;
  t.equal((await core.call('recovery-codes', {})).codes.length, 10);
  await core.close();
  t.equal(await owner.login(other), 'done');
  t.notOk(owner.storage.files.has(NEXT_FILE));
});

test('words that were changed elsewhere: no code is asked for where there is no second factor', async (t) => {
  const owner = new Owner();
  const core = await owner.register(t);
  const { uid } = await owner.account();
  const words = nodeSync.random(32);
  await lab.server.store.changeAccount(uid, (account) => ({ ...account, words }));
  t.equal(await code(core.call('recovery-codes', {})), 'proof-refused');
  t.equal(await code(core.call('delete-account', secrets)), 'proof-refused');
});

function honest(): void {
  lab.asked = (_from, _struct, _values, next) => next();
}

/** The change, as a person asks for it. */
const change = (core: ClientCore, present: Secrets, next: Secrets, typed?: string): Promise<unknown> =>
  core.call('secrets-change', { present, next, ...(typed === undefined ? {} : { code: typed }) });

test('another password, then other words: the new ones open and log in, the former do neither; the state stays', async (t) => {
  const owner = new Owner();
  const core = await owner.register(t);
  await core.call('add', { name: 'nobody_else' }).catch(() => undefined);
  const log = owner.storage.files.get(owner.storage.stateLog);
  const password = { ...secrets, password: other.password };
  await change(core, secrets, password);
  t.same(owner.storage.files.get(owner.storage.stateLog)?.subarray(0, 64), log?.subarray(0, 64), 'as it was sealed');
  await change(core, password, other, undefined); // in the same session: the new words proof counts from now on
  t.match(await core.call('status', {}), { session: 'online' }, 'this session goes on');
  t.notOk(owner.storage.files.has(NEXT_FILE));
  await core.close();
  t.equal(await owner.login(secrets), 'wrong-password');
  t.equal(await owner.login(password), 'wrong-words');
  t.equal(await owner.login(other), 'done');
});

test('what is typed is checked before the daemon is asked anything', async (t) => {
  const owner = new Owner();
  const core = await owner.register(t);
  const asked: string[] = [];
  lab.asked = (_from, struct, _values, next) => {
    asked.push(struct.name);
    return next();
  };
  t.equal(await code(change(core, other, other)), 'wrong-password');
  t.equal(await code(change(core, { ...secrets, words: other.words }, other)), 'wrong-words');
  t.equal(await code(change(core, secrets, { ...other, password: 'short' })), 'weak-password');
  t.equal(await code(change(core, secrets, { ...other, words: 'two words' })), 'bad-words');
  for (const bad of [{}, { present: secrets }, { present: secrets, next: { password: 'x' } }, { present: 1, next: 2 }])
    t.equal(await code(core.call('secrets-change', bad as never)), 'usage');
  t.same(asked, []);
  honest();
  await core.close();
  const away = await owner.open(secrets);
  t.teardown(() => away.close());
  t.equal(await code(change(away, secrets, other)), 'offline');
  t.notOk(owner.storage.files.has(NEXT_FILE));
});

test('two changes at once: one after the other, and the second has the present secrets of the first against it', async (t) => {
  const owner = new Owner();
  const core = await owner.register(t);
  const third = { ...other, password: 'a third horse' };
  const both = [change(core, secrets, other), change(core, secrets, third)];
  t.same(await Promise.all(both.map(code)), ['done', 'wrong-password']);
  await core.close();
  t.equal(await owner.login(other), 'done');
});

test('a change ends every other session of the account, and no session goes on with the former password', async (t) => {
  const owner = new Owner();
  const first = await owner.register(t);
  await first.close();
  owner.storage.files.forEach((_, name) => name.startsWith('state') && owner.storage.files.delete(name));
  owner.storage.files.delete('current'); // without its grant: a session of its own
  const core = await owner.open(secrets);
  t.teardown(() => core.close());
  await core.connect();
  const { uid } = await owner.account();
  t.equal((await lab.server.store.grants(uid)).length, 2);
  await change(core, secrets, other);
  t.equal((await lab.server.store.grants(uid)).length, 1);
  await owner.cut(core);
  await core.call('drained', {});
  t.match(await core.call('status', {}), { session: 'online' }, 'this one goes on, by the new secrets');
  t.equal((await lab.server.store.grants(uid)).length, 1);
});

for (const did of [true, false])
  for (const first of ['new', 'former'] as const)
    test(`the answer is lost, the daemon ${did ? 'did it' : 'did not do it'}, and the ${first} secrets are typed first`, async (t) => {
      const owner = new Owner();
      const core = await owner.register(t);
      loseAnswer(owner, core, did);
      /* Killed with the line: what is on the disk at this moment is all there is. */
      const changed = code(change(core, secrets, other));
      t.equal(await changed, 'unsettled');
      const disk = owner.storage.copy();
      await core.close();
      owner.storage = disk;
      t.ok(disk.files.has(NEXT_FILE));
      t.equal(await owner.login({ ...other, password: 'neither horse' }), 'wrong-password');
      t.equal(await owner.login({ ...other, words: secrets.words }), 'wrong-words');
      const holds = did ? other : secrets;
      const order = first === 'new' ? [other, secrets] : [secrets, other];
      for (const typed of order) {
        const before = disk.files.has(NEXT_FILE);
        const outcome = await owner.login(typed);
        if (typed === holds) t.equal(outcome, 'done');
        else t.equal(outcome, before ? (did ? 'former-secrets' : 'newer-secrets') : 'wrong-password');
      }
      t.notOk(disk.files.has(NEXT_FILE));
      t.equal(await owner.login(holds), 'done');
    });

for (const did of [true, false])
  test(`a client that goes on finds out by itself whether the daemon ${did ? 'did it' : 'did not'}`, async (t) => {
    const owner = new Owner();
    const core = await owner.register(t);
    loseAnswer(owner, core, did);
    t.equal(await code(change(core, secrets, other)), 'unsettled');
    t.equal(await code(change(core, secrets, other)), 'settle-first', 'not before a login said which holds');
    await core.call('drained', {});
    t.match(await core.call('status', {}), { session: 'online' });
    t.notOk(owner.storage.files.has(NEXT_FILE));
    const [holds, next] = did ? [other, secrets] : [secrets, other];
    await change(core, holds, next);
    await core.close();
    t.equal(await owner.login(next), 'done');
  });

test('a daemon that fails in the middle: a login settles it, and neither pair is lost before', async (t) => {
  const owner = new Owner();
  const core = await owner.register(t);
  const { store } = lab.server.context as unknown as { store: { changeAccount: (...of: unknown[]) => unknown } };
  const sound = store.changeAccount;
  store.changeAccount = () => Promise.reject(new Error('planted'));
  t.equal(await code(change(core, secrets, other)), 'unsettled');
  store.changeAccount = sound;
  (lab.server.troubles as string[]).length = 0;
  await core.call('drained', {});
  t.notOk(owner.storage.files.has(NEXT_FILE));
  await core.close();
  t.equal(await owner.login(other), 'wrong-password');
  t.equal(await owner.login(secrets), 'done');
});

test('killed at each write of a change: exactly one pair of secrets logs in', async (t) => {
  let writes = 0;
  for (let nth = 1; ; nth++) {
    const owner = new Owner();
    const core = await owner.register(t);
    const { storage } = owner;
    let disk: MemoryStorage | undefined;
    let seen = 0;
    storage.before = () => {
      if (++seen < nth) return;
      disk ??= storage.copy();
      void owner.cut(core);
      throw new Error('power cut');
    };
    const outcome = await code(change(core, secrets, other));
    await core.close();
    if (!disk) {
      t.equal(outcome, 'done');
      break;
    }
    writes++;
    owner.storage = disk;
    const twin = disk.copy();
    const both = [await owner.login(secrets), await owner.login(other)];
    owner.storage = twin;
    both.push(await owner.login(other), await owner.login(secrets));
    t.equal(both.slice(0, 2).filter((one) => one === 'done').length, 1, both.join(', '));
    t.equal(both.slice(2).filter((one) => one === 'done').length, 1, both.join(', '));
    t.notOk(disk.files.has(NEXT_FILE) || twin.files.has(NEXT_FILE));
  }
  t.equal(writes, 3, 'beside it, in its place, and the one beside it away');
});

test('a disk that takes nothing: nothing is changed, and the daemon is not asked to', async (t) => {
  const owner = new Owner();
  const core = await owner.register(t);
  owner.storage.before = (what) => {
    if (what === `replace ${NEXT_FILE}`) throw new Error('full');
  };
  t.equal(await code(change(core, secrets, other)), 'storage');
  owner.storage.before = () => undefined;
  await change(core, secrets, other);
  await core.close();
  t.equal(await owner.login(other), 'done');
});

test('with a second factor a change takes a code, and each code counts once', async (t) => {
  const owner = new Owner();
  const core = await owner.register(t);
  const { uid } = await owner.account();
  const codes = ['a', 'b', 'c'].map((letter) => utf8(letter.repeat(10)));
  const hashes = codes.map((one) => recoveryHash(lab.server.context, uid, one));
  const secret = sealSecret(lab.server.context, uid, nodeSync.random(20));
  await lab.server.store.changeAccount(uid, (account) =>
    withSecurity(account, { factor: SecondFactor.totp, secret, recovery: hashes }),
  );
  const typed = (n: number): string => typedCode(codes[n] ?? new Uint8Array(10));
  t.equal(
    await code(change(core, secrets, other)),
    'proof-refused',
    'the session began without: what the daemon does not take may be the words too',
  );
  await core.close();
  t.equal(await owner.login(secrets), 'done', 'by the grant');
  const again = await owner.open(secrets);
  t.teardown(() => again.close());
  await again.connect();
  t.equal(await code(change(again, secrets, other)), 'code-needed', 'known from the login');
  t.equal(await code(change(again, secrets, other, 'no code')), 'bad-code');
  t.equal(await code(change(again, secrets, other, '000 000')), 'wrong-code');
  t.equal(await code(change(again, secrets, other, typedCode(nodeSync.random(10)))), 'wrong-code');
  await change(again, secrets, other, typed(0));
  t.equal(await code(change(again, other, secrets, typed(0))), 'wrong-code', 'it counted');
  /* The answer is lost, and the session with it: each of the two is tried with the code, which the wrong one does not use up. */
  loseAnswer(owner, again, true);
  const third = { password: other.password, words: 'field meadow stone' };
  t.equal(await code(change(again, other, third, typed(1))), 'unsettled');
  for (const { hash } of await lab.server.store.grants(uid)) await lab.server.store.revokeGrant(uid, hash);
  await again.close();
  t.equal(await owner.login(other, typed(2)), 'wrong-code', 'words and code are not told apart');
  t.equal(await owner.login(third, typed(2)), 'done');
});

async function signedIn(t: Test, user: Parameters<typeof logIn>[1]): Promise<RawConnection> {
  const raw = lab.server.connect();
  t.teardown(() => {
    raw.close();
  });
  await raw.handshake(lab.host.linked);
  t.equal((await logIn(raw, user)).header.code, 200);
  await raw.event(structs.drnd);
  return raw;
}

const nobody = { words: new Uint8Array(32), factor: 0, code: new Uint8Array(0) };
const fresh = { record: new Uint8Array(192), newWords: new Uint8Array(32) };

test('pswd2 without pswd1, twice after one, and over a request that is none', async (t) => {
  const user = await makeUser('pswduser');
  const raw = lab.server.connect();
  await raw.handshake(lab.host.linked);
  t.equal((await raw.ask(structs.pswd1, { opaque: new Uint8Array(32) })).header.code, 403, 'not before a login');
  await registerUser(raw, user);
  raw.close();
  const one = await signedIn(t, user);
  t.equal((await one.ask(structs.pswd2, { ...nobody, ...fresh })).header.code, 409);
  t.equal((await one.ask(structs.pswd1, { opaque: new Uint8Array(32).fill(255) })).header.code, 400);
  t.equal((await one.ask(structs.pswd2, { ...nobody, ...fresh })).header.code, 409, 'nothing was begun');
  const { request } = crypto.password.registrationStart('another');
  t.match((await one.ask(structs.pswd1, { opaque: request })).header, { code: 200, status: 0 });
  t.equal((await one.ask(structs.pswd2, { ...nobody, ...fresh })).header.code, 401);
  t.equal((await one.ask(structs.pswd2, { ...nobody, ...fresh })).header.code, 409, 'one try for each beginning');
});

test('wrong words at a change count as failed logins of the source', async (t) => {
  const user = await makeUser('guesser');
  const raw = lab.server.connect();
  await raw.handshake(lab.host.linked);
  await registerUser(raw, user);
  raw.close();
  const one = await signedIn(t, user);
  const { failures } = lab.server.context;
  const get = failures.get.bind(failures);
  const guess = async (): Promise<number> => {
    await one.ask(structs.pswd1, { opaque: crypto.password.registrationStart('another').request });
    return (await one.ask(structs.pswd2, { ...nobody, ...fresh })).header.code;
  };
  t.equal(await guess(), 401);
  t.match(lab.server.audited.at(-1), { reason: 'words', uid: hex(user.uid) });
  const shutOut: Pick<BackOff, 'wait' | 'fail'> = { wait: () => 7, fail: () => undefined };
  Object.assign(failures, { get: () => shutOut });
  t.equal(await guess(), 429);
  Object.assign(failures, { get });
});

test('a login that was begun with the former password does not end with it, and who was taken over changes nothing', async (t) => {
  const owner = new Owner();
  const core = await owner.register(t);
  const account = await owner.account();
  /* Between the two steps of a login by the same secrets, elsewhere. */
  const twin = new Owner();
  twin.storage = owner.storage.copy();
  let changed: Promise<string> | undefined;
  lab.asked = async (from, struct, _values, next) => {
    if (from === twin.storage && struct.name === 'pass') await (changed ??= code(change(core, secrets, other)));
    return next();
  };
  t.equal(await twin.login(secrets), 'login-refused');
  t.equal(await changed, 'done');
  /* The other way round: the change has come as far as the account, and a login is finished before it. */
  honest();
  const { logins, presence } = lab.server.context;
  const key = idKey(account.uid);
  let free = (): void => undefined;
  const held = logins.inTurn(key, () => new Promise<void>((resolve) => (free = resolve)));
  const inTurn = logins.inTurn.bind(logins);
  const waiting = new Promise<void>((resolve) => {
    logins.inTurn = (of, work) => {
      resolve();
      return inTurn(of, work);
    };
  });
  const late = code(change(core, other, secrets));
  await waiting;
  presence.get(key)?.close(409);
  logins.inTurn = inTurn;
  free();
  await held;
  t.equal(await late, 'unsettled');
  await core.close();
  t.equal(await owner.login(secrets), 'newer-secrets', 'it was not done');
  t.equal(await owner.login(other), 'done');
});

async function sealedWith(me: Me, known: Secrets) {
  const [salt1, salt2] = [nodeSync.random(16), nodeSync.random(16)];
  const k = await crypto.password.stretch(known.password, salt1);
  const w = await crypto.password.stretch(known.words, salt2);
  const file = JSON.parse(fromUtf8(sealIdentity(crypto, network, me, { salt1, salt2, k, w })) ?? '') as Record<
    string,
    unknown
  >;
  return { file, k, w };
}

async function someMe(): Promise<Me> {
  const [enc, sig] = [await crypto.keys.generate(), await crypto.keys.generate()];
  const stateKey = nodeSync.random(16);
  return { name: 'alice', uid: nodeSync.random(16), enc, sig, password: '', w: new Uint8Array(32), stateKey };
}

test('identity, format 2: the key of the state is random, and sealed under password and words', async (t) => {
  const me = await someMe();
  const { file, k, w } = await sealedWith(me, secrets);
  const bytes = utf8(JSON.stringify(file));
  t.equal(file['format'], 2);
  t.same((await openIdentity(crypto, network, bytes, secrets)).stateKey, me.stateKey);
  t.not(hex(me.stateKey), hex(fileKeys(nodeSync, k, w).state));
  const again = await openIdentity(crypto, network, bytes, secrets);
  t.same(again.enc.modulus, me.enc.modulus);
  for (const field of ['salt1', 'salt2', 'sig', 'enc', 'state'] as const) {
    const value = String(file[field]);
    const flipped = (parseInt(value[0] ?? '0', 16) ^ 1).toString(16) + value.slice(1);
    const refused = openIdentity(crypto, network, utf8(JSON.stringify({ ...file, [field]: flipped })), secrets);
    t.match(await code(refused), /^(wrong-password|wrong-words|damaged-identity)$/, field);
  }
  for (const bad of [
    { ...file, state: undefined },
    { ...file, state: 'xy' },
    { ...file, format: 0 },
  ])
    t.equal(await code(openIdentity(crypto, network, utf8(JSON.stringify(bad)), secrets)), 'damaged-identity');
  const later = utf8(JSON.stringify({ format: 3 }));
  t.throws(() => readIdentity(later), { code: 'newer-identity' });
});

test('identity, format 1: opens as before, and becomes format 2 at the first change', async (t) => {
  const owner = new Owner();
  const registered = await owner.register(t);
  await registered.close();
  /* A profile as it was before: its state is sealed under the key that follows from the secrets. */
  const now = owner.storage.files.get(IDENTITY_FILE) ?? new Uint8Array(0);
  const me = await openIdentity(crypto, network, now, secrets);
  const { salt1, salt2 } = JSON.parse(fromUtf8(now) ?? '') as { salt1: string; salt2: string };
  const salts = [Buffer.from(salt1, 'hex'), Buffer.from(salt2, 'hex')] as const;
  const k = await crypto.password.stretch(secrets.password, salts[0]);
  const derived = fileKeys(nodeSync, k, me.w).state;
  const one = JSON.parse(fromUtf8(now) ?? '') as Record<string, unknown>;
  delete one['state'];
  const disk = new MemoryStorage();
  await disk.replace(IDENTITY_FILE, utf8(JSON.stringify({ ...one, format: 1 })));
  owner.storage = disk;
  const core = await owner.open(secrets);
  t.teardown(() => core.close());
  t.same((await openIdentity(crypto, network, await read(disk), secrets)).stateKey, derived);
  await core.connect();
  await core.call('add', { name: 'somebody' }).catch(() => undefined);
  await change(core, secrets, other);
  await core.close();
  const after = JSON.parse(fromUtf8(await read(disk)) ?? '') as Record<string, unknown>;
  t.equal(after['format'], 2);
  t.same(
    (await openIdentity(crypto, network, await read(disk), other)).stateKey,
    derived,
    'the state was not sealed anew',
  );
  t.equal(await owner.login(other), 'done');
});

async function read(storage: MemoryStorage): Promise<Uint8Array> {
  return (await storage.read(IDENTITY_FILE)) ?? new Uint8Array(0);
}

test('what an old copy of the identity is worth: state and keys by the former secrets, and no login', async (t) => {
  const owner = new Owner();
  const core = await owner.register(t);
  const old = await read(owner.storage);
  await change(core, secrets, other);
  await core.close();
  const thief = new Owner();
  thief.storage = owner.storage.copy();
  await thief.storage.replace(IDENTITY_FILE, old);
  const opened = await thief.open(secrets);
  t.match(await opened.call('status', {}), { name: owner.name });
  await opened.close();
  t.equal(await thief.login(secrets), 'login-refused');
});
