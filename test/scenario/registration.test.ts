/** Who may register, and with what; codes by mail. The daemon's server in this process, raw clients and cores. */
import { test, type Test } from 'tap';
import { Code, Status, structs, utf8 } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { ClientError, openCore, registerCore, type Application, type ClientPorts } from '../../src/client/index.js';
import { SmtpMailer } from '../../src/ops/mailer.js';
import { detailsOf } from '../../src/server/details.js';
import { withSecurity } from '../../src/server/factors.js';
import { Invitations } from '../../src/server/invitations.js';
import { CODE_TRIES } from '../../src/server/limits.js';
import { SecondFactor } from '../../src/store/store.js';
import { sessionAt, startFuzzed, type FuzzedDaemon } from '../fuzz/daemon-server.js';
import {
  logIn,
  makeUser,
  noCode,
  registerUser,
  type LoginChange,
  type RawConnection,
  type RawUser,
  type Told,
} from '../support/raw.js';
import { codeIn, Post } from '../support/smtp.js';
import { clientCrypto, MemoryStorage, MovableClock } from '../unit/client-support.js';
import { code as codeOf, secrets } from '../unit/client-parties.js';

type Settings = Parameters<typeof startFuzzed>[2];
const server = (t: Test, settings: Settings): Promise<FuzzedDaemon> => startFuzzed(t, undefined, settings);

let people = 0;
const newUser = (): Promise<RawUser> => makeUser(`user${String(people++)}`);

/** The code of the last answer of a registration of somebody new. */
async function registered(daemon: FuzzedDaemon, told: Told = {}): Promise<Code> {
  const raw = await sessionAt(daemon);
  const { header } = await registerUser(raw, await newUser(), told);
  raw.close();
  return header.code;
}

const invitationsOf = ({ context }: FuzzedDaemon): Invitations => new Invitations(nodeSync, context.decoySecret);

// ---- who may

test('by invitation: a code lets one in, once; a wrong, foreign, used or expired one, and none, are all the same', async (t) => {
  const daemon = await server(t, { registration: 'invitation' });
  const invitations = invitationsOf(daemon);
  const { code: invitation } = invitations.draw(Date.now() + 1);
  t.equal(await registered(daemon, { invitation }), Code.done);
  const refused: Readonly<Record<string, Uint8Array>> = {
    none: new Uint8Array(0),
    short: new Uint8Array(8),
    wrong: nodeSync.random(16),
    foreign: new Invitations(nodeSync, nodeSync.random(32)).draw(Date.now() + 3600_000).code,
    used: invitation,
    expired: invitations.draw(Date.now() - 3600_000).code,
  };
  for (const [what, code] of Object.entries(refused)) {
    const raw = await sessionAt(daemon);
    const { header, values } = await registerUser(raw, await newUser(), { invitation: code });
    t.same([header.code, header.status, values], [Code.forbidden, Status.error, { wait: 0 }], what);
  }
  t.same([...new Set(daemon.audited.map(({ reason }) => reason))], ['invitation'], 'on record as that alone');
  const taken = await makeUser('user0');
  const raw = await sessionAt(daemon);
  t.equal((await registerUser(raw, taken)).header.code, Code.forbidden, 'nobody is told which names there are');
  const again = { invitation: invitations.draw(Date.now() + 1).code };
  t.equal((await registerUser(raw, taken, again)).header.code, Code.conflict);
  t.equal(await registered(daemon, again), Code.done, 'a taken name uses no code up');
});

test('by invitation: of registrations at once with one code one is made', async (t) => {
  const daemon = await server(t, { registration: 'invitation' });
  const { code: invitation } = invitationsOf(daemon).draw(Date.now() + 1);
  const codes = await Promise.all(Array.from({ length: 8 }, () => registered(daemon, { invitation })));
  t.same(codes.sort(), [Code.done, ...Array<Code>(7).fill(Code.forbidden)]);
});

test('by invitation: wrong codes count as failures of their source', async (t) => {
  const daemon = await server(t, { registration: 'invitation', limits: { 'failures-per-quarter': 3 } });
  const { code: invitation } = invitationsOf(daemon).draw(Date.now() + 1);
  for (let n = 0; n < 4; n++) t.equal(await registered(daemon, { invitation: nodeSync.random(16) }), Code.forbidden);
  t.equal(await registered(daemon, { invitation }), Code.limited, 'a right one too');
});

test('by invitation: a code that ends meanwhile does not count any more', async (t) => {
  let ahead = 0;
  const daemon = await server(t, { registration: 'invitation', now: () => Date.now() + ahead });
  const { code: invitation, ends } = invitationsOf(daemon).draw(Date.now());
  const told = {
    invitation,
    email: 'late@mail.example',
    code: () => {
      ahead = ends - Date.now();
      daemon.context.mailCodes.spend = () => true; // as if it had come in time
      return Promise.resolve('00000000');
    },
  };
  t.equal(await registered(daemon, told), Code.forbidden);
});

test('open: no code is needed, and none is looked at; closed: none helps', async (t) => {
  const open = await server(t, {});
  t.equal(await registered(open, { invitation: nodeSync.random(16) }), Code.done);
  const closed = await server(t, { registration: 'closed', limits: { 'failures-per-quarter': 1 } });
  const { code: invitation } = invitationsOf(closed).draw(Date.now() + 3600_000);
  t.equal(await registered(closed), Code.forbidden);
  t.equal(await registered(closed, { invitation }), Code.forbidden);
  t.equal(await registered(closed), Code.forbidden, 'nothing is guessed, and nothing counted');
  t.same([...new Set(closed.audited.map(({ reason }) => reason))], ['registration']);
});

// ---- with what

test('what somebody tells is checked at the daemon’s door, and kept sealed for them alone', async (t) => {
  const daemon = await server(t, {});
  const user = await newUser();
  t.equal((await registerUser(await sessionAt(daemon), user, { fullName: 'Zoë Ångström' })).header.code, Code.done);
  const account = await daemon.store.accountByName(user.name);
  if (!account) throw new Error('no account');
  t.same(detailsOf(daemon.context, account), { fullName: 'Zoë Ångström', email: '' });
  t.notOk(Buffer.from(account.security.details).includes('ngstr'));
  for (const told of [
    { fullName: 'a\nb' },
    { fullName: '\u001b[2J' },
    { email: 'a@b@c.de' },
    { email: 'a@mail.example\r\nBcc: b@mail.example' },
    { email: 'a,b@mail.example' },
  ])
    t.equal(await registered(daemon, told), Code.malformed, JSON.stringify(told));
  t.equal(daemon.mailed.size, 0);
  const silent = await server(t, { mailer: undefined });
  t.equal(await registered(silent, { email: 'ada@mail.example' }), Code.malformed, 'a network without mail');
});

test('an address is kept when its code was typed; five wrong ones end the registration', async (t) => {
  const daemon = await server(t, {});
  const user = await newUser();
  const email = 'ada@mail.example';
  const raw = await sessionAt(daemon);
  const begun = await registerUser(raw, user, { email });
  t.same([begun.header.code, begun.header.status], [Code.mailed, Status.progress]);
  t.equal(await daemon.store.accountByName(user.name), undefined, 'not made yet');
  const sent = Buffer.from(daemon.mailed.get(email) ?? '');
  const type = async (code: Uint8Array): Promise<Code> => (await raw.ask(structs.crea3, { code })).header.code;
  const wrong = Buffer.from(sent.toString() === '00000000' ? '00000001' : '00000000');
  for (let tries = 1; tries < CODE_TRIES; tries++) t.equal(await type(wrong), Code.authentication);
  t.equal(await type(sent), Code.done, 'the fifth is right');
  t.equal(await type(sent), Code.forbidden, 'none is due any more');
  const account = await daemon.store.accountByName(user.name);
  if (!account) throw new Error('no account');
  t.same(detailsOf(daemon.context, account), { fullName: '', email });
  t.equal((await logIn(raw, user)).header.code, Code.done, 'on the same connection');

  const other = await sessionAt(daemon);
  const late = await newUser();
  t.equal((await registerUser(other, late, { email })).header.code, Code.mailed);
  for (let tries = 0; tries < CODE_TRIES; tries++)
    t.equal((await other.ask(structs.crea3, { code: wrong })).header.code, Code.authentication);
  const right = Buffer.from(daemon.mailed.get(email) ?? '');
  t.equal((await other.ask(structs.crea3, { code: right })).header.code, Code.forbidden, 'it is over');
  t.equal(await daemon.store.accountByName(late.name), undefined);
});

test('a code counts ten minutes, and for the registration that it was sent for', async (t) => {
  let ahead = 0;
  const daemon = await server(t, { now: () => Date.now() + ahead });
  const email = 'ada@mail.example';
  const [one, two] = [await sessionAt(daemon), await sessionAt(daemon)];
  await registerUser(one, await newUser(), { email });
  const first = Buffer.from(daemon.mailed.get(email) ?? '');
  await registerUser(two, await newUser(), { email });
  const second = Buffer.from(daemon.mailed.get(email) ?? '');
  if (!first.equals(second))
    t.equal((await two.ask(structs.crea3, { code: first })).header.code, Code.authentication, 'of another');
  ahead = 10 * 60_000 + 1_000;
  t.equal((await one.ask(structs.crea3, { code: first })).header.code, Code.authentication, 'too late');
});

test('mails have budgets: of a source, to a mailbox, and in all', async (t) => {
  const told = (name: string): Told => ({ email: `${name}@mail.example` });
  const bySource = await server(t, { limits: { 'mails-per-hour-per-source': 2 } });
  for (const name of ['a', 'b']) t.equal(await registered(bySource, told(name)), Code.mailed);
  t.equal(await registered(bySource, told('c')), Code.limited);
  const toOne = await server(t, { limits: { 'mails-per-hour-to-one': 2 } });
  for (const name of ['ada', 'Ada']) t.equal(await registered(toOne, told(name)), Code.mailed);
  const raw = await sessionAt(toOne);
  const { header, values } = await registerUser(raw, await newUser(), told('ADA'));
  t.same([header.code, Number(values['wait']) > 3_000], [Code.limited, true], 'an hour, however it is written');
  t.equal(await registered(toOne, told('bob')), Code.mailed, 'to others it goes on');
  const inAll = await server(t, { limits: { 'mails-per-hour': 1 } });
  t.equal(await registered(inAll, told('a')), Code.mailed);
  t.equal(await registered(inAll, told('b')), Code.limited);
});

test('where the mail server fails nothing is made, the name is free, and the log has no address', async (t) => {
  const fails = { send: () => Promise.reject(new Error('SMTP ECONNECTION')) };
  const daemon = await server(t, { mailer: fails });
  const user = await newUser();
  const raw = await sessionAt(daemon);
  t.equal((await registerUser(raw, user, { email: 'ada@mail.example' })).header.code, Code.unavailable);
  t.same(daemon.troubles, ['a mail was not sent {"error":"Error: SMTP ECONNECTION"}']);
  t.equal((await registerUser(raw, user)).header.code, Code.done, 'without an address');
});

// ---- mcod

/** Registered with an address, and asks for a code by mail at each login. */
async function mailUser(daemon: FuzzedDaemon): Promise<RawUser> {
  const user = await newUser();
  const email = addressOf(user);
  const told = { email, code: () => Promise.resolve(daemon.mailed.get(email) ?? '') };
  const { header } = await registerUser(await sessionAt(daemon), user, told);
  if (header.code !== Code.done) throw new Error(`crea: ${String(header.code)}`);
  await byMail(daemon, user.name);
  return user;
}

const addressOf = ({ name }: RawUser): string => `${name}@mail.example`;

async function byMail({ store }: FuzzedDaemon, name: string): Promise<void> {
  const uid = (await store.accountByName(name))?.uid ?? new Uint8Array(16);
  await store.changeAccount(uid, (account) => withSecurity(account, { factor: SecondFactor.mail }));
}

test('a login with a code by mail: it is asked for between password and words, and counts once', async (t) => {
  const daemon = await server(t, {});
  const user = await mailUser(daemon);
  const typed = (): Promise<string> => Promise.resolve(daemon.mailed.get(addressOf(user)) ?? '');
  const raw = await sessionAt(daemon);
  t.equal((await logIn(raw, user)).header.code, Code.authentication, 'without one: no');
  const done = await logIn(raw, user, { mailed: typed });
  t.equal(done.header.code, Code.done);
  await raw.event(structs.drnd); // keys of both sides are the same: the frames of mcod are in the transcript
  const grant = (done.values as { grant: Uint8Array }).grant;
  t.equal(
    (await logIn(await sessionAt(daemon), user, { grant })).header.code,
    Code.done,
    'a running session needs none',
  );
  const before = await typed();
  const again: LoginChange = { mailed: async () => ((await typed()) === before ? '' : before) };
  t.equal(
    (await logIn(await sessionAt(daemon), user, again)).header.code,
    Code.authentication,
    'the one before is void',
  );
});

test('mcod: wrong words, no such factor, no mail, too many: the login is over, and the words count as a failure', async (t) => {
  const daemon = await server(t, { limits: { 'mails-per-hour-to-one': 4, 'failures-per-quarter': 1 } });
  const [user, plain] = [await mailUser(daemon), await newUser()];
  await registerUser(await sessionAt(daemon), plain);
  const mailed = (): Promise<string> => Promise.resolve('');
  const last = async (who: RawUser, change: LoginChange): Promise<readonly [Code, number]> => {
    const raw = await sessionAt(daemon);
    const { header, opcode } = await logIn(raw, who, { mailed, ...change });
    t.equal(
      (await raw.ask(structs.pass, { words: nodeSync.random(32), factor: 0, code: new Uint8Array(0) })).header.code,
      403,
    );
    return [header.code, opcode];
  };
  const { opcode } = structs.mcod;
  t.same(await last(plain, {}), [Code.conflict, opcode], 'an account without a factor');
  daemon.context.budgets.take = ((take) => (budget, key) =>
    budget === 'mailsToOne' ? Promise.resolve(9) : take(budget, key))(
    daemon.context.budgets.take.bind(daemon.context.budgets),
  );
  t.same(await last(user, {}), [Code.limited, opcode]);
  t.same(await last(user, { w: nodeSync.random(32) }), [Code.authentication, opcode]);
  t.equal((await logIn(await sessionAt(daemon), user)).header.code, Code.authentication, 'the one that is free');
  t.equal((await logIn(await sessionAt(daemon), user)).header.code, Code.limited, 'words were a failure of the source');
});

test('mcod of somebody who is logged in sends a code, and holds nobody to turns', async (t) => {
  const daemon = await server(t, {});
  const user = await mailUser(daemon);
  const raw = await sessionAt(daemon);
  let words = new Uint8Array(0) as Uint8Array;
  const send = raw.send.bind(raw);
  raw.send = (struct, values, id) => {
    if (struct.name === 'pass') words = (values as unknown as { words: Uint8Array }).words;
    return send(struct, values, id);
  };
  await logIn(raw, user, { mailed: () => Promise.resolve(daemon.mailed.get(addressOf(user)) ?? '') });
  const asked = [
    raw.ask(structs.mcod, { words }),
    raw.ask(structs.keyq, { name: user.name }),
    raw.ask(structs.mcod, { words: nodeSync.random(32) }),
  ];
  const answers = await Promise.all(asked);
  t.same(
    answers.map(({ header }) => [header.status, header.code]),
    [
      [Status.progress, Code.mailed],
      [Status.valid, Code.done],
      [Status.error, Code.authentication],
    ],
  );
  const digits = daemon.mailed.get(addressOf(user)) ?? '';
  const to = { uid: user.uid, email: addressOf(user) };
  t.ok(daemon.context.mailCodes.spend(to, Buffer.from(digits)), 'it is about the account and its address');
  t.equal((await raw.ask(structs.keyq, { name: user.name })).header.code, Code.done, 'the session goes on');
});

test('mcod in a login takes turns: a frame before its answer ends the connection', async (t) => {
  const slow = { send: () => new Promise<void>(() => undefined) };
  const quick = await server(t, {});
  const user = await mailUser(quick);
  (quick.context as { mailer: unknown }).mailer = slow;
  const raw = await sessionAt(quick);
  const asked = logIn(raw, user, { mailed: () => Promise.resolve('') });
  const send = raw.send.bind(raw);
  const sent = new Promise<void>((resolve) => {
    raw.send = (struct, values, id) => {
      const bytes = send(struct, values, id);
      if (struct.name === 'mcod') resolve();
      return bytes;
    };
  });
  await sent;
  send(structs.quit, {});
  await t.rejects(asked, /closed/);
});

// ---- the client's core, with a real mail server

async function portsAt(daemon: FuzzedDaemon, storage: MemoryStorage): Promise<ClientPorts> {
  const where = {
    linked: daemon.linked,
    server: { host: 'memory', port: 1 },
    connect: () => Promise.resolve(daemon.open()),
  };
  return { ...where, crypto: await clientCrypto(), storage, clock: new MovableClock(), log: () => undefined };
}

async function begin(daemon: FuzzedDaemon, name: string, application: Application, storage = new MemoryStorage()) {
  return registerCore(await portsAt(daemon, storage), name, secrets, application);
}

test('a core registers with a mail, mistypes once, and logs in by mail later', async (t) => {
  const post = await Post.start(t);
  const mail = { host: '127.0.0.1', port: post.port, tls: 'none', login: undefined, ca: undefined } as const;
  const mailer = new SmtpMailer({ ...mail, sender: 'chat@mail.example', timeout: 5_000 });
  const daemon = await server(t, { mailer });
  const storage = new MemoryStorage();
  const asked: boolean[] = [];
  const askCode = async (again: boolean): Promise<string> => {
    asked.push(again);
    if (!again) return '1234 567';
    const received = await post.next();
    t.same(received.to, ['ada@mail.example']);
    t.match(received.headers.get('subject'), 'Your code for the network fuzz');
    t.notMatch(received.text, /ada/i, 'whose it is stands nowhere');
    t.match(received.text, /nobody of this network will ever ask you for it/);
    return codeIn(received).replace(/^..../, '$& ');
  };
  const core = await begin(daemon, 'ada', { fullName: ' Ada ', email: 'ada@mail.example', askCode }, storage);
  t.same(asked, [false, true]);
  t.same([...storage.files.keys()].includes('identity.unfinished'), false);
  await core.call('logout', {}); // its session would need no code
  await core.close();
  await byMail(daemon, 'ada');
  const account = await daemon.store.accountByName('ada');
  if (!account) throw new Error('no account');
  t.same(detailsOf(daemon.context, account), { fullName: 'Ada', email: 'ada@mail.example' });

  const first = await openCore(await portsAt(daemon, storage), 'default', secrets);
  t.equal(await codeOf(first.connect()), 'mail-code-needed');
  await first.close();
  const typed = codeIn(await post.next());
  const later = await openCore(await portsAt(daemon, storage), 'default', secrets);
  t.teardown(() => later.close());
  await later.connect(undefined, typed);
  t.match(await later.call('status', {}), { session: 'online' });
});

test('what the daemon refuses leaves nothing behind, and the client says what to do', async (t) => {
  const askCode = (): Promise<string> => Promise.resolve('00000000');
  const email = 'ada@mail.example';
  const told = async (daemon: FuzzedDaemon, application: Application): Promise<unknown> => {
    const storage = new MemoryStorage();
    const why = await begin(daemon, 'ada', application, storage).then(
      () => undefined,
      (thrown: unknown) => (thrown instanceof ClientError ? thrown : String(thrown)),
    );
    t.same([...storage.files.keys()], [], 'no file is left');
    return why;
  };
  const closed = await server(t, { registration: 'closed' });
  t.match(await told(closed, {}), { code: 'invitation-needed', exit: 1, hint: /--invitation CODE/ });
  t.match(await told(closed, { invitation: 'aaaa'.repeat(6) + 'ab' }), { code: 'bad-invitation' });
  t.match(await told(closed, { invitation: 'AAAA-'.repeat(6) + 'aa' }), { code: 'invitation-refused', exit: 1 });
  const silent = await server(t, { mailer: undefined });
  t.match(await told(silent, { email, askCode }), { code: 'no-mail', hint: 'register without --email' });
  const failing = await server(t, { mailer: { send: () => Promise.reject(new Error('down')) } });
  t.match(await told(failing, { email, askCode }), { code: 'mail-failed', exit: 3 });
  const daemon = await server(t, { limits: { 'mails-per-hour-to-one': 1 } });
  t.match(await told(daemon, { email, askCode }), { code: 'wrong-code' });
  t.equal(await daemon.store.accountByName('ada'), undefined);
  t.match(await told(daemon, { email, askCode }), { code: 'limited', exit: 5 });
  t.match(await told(daemon, { email }), { code: 'no-code' });
  t.match(await told(daemon, { email: 'ada@mail', askCode }), { code: 'bad-email' });
  t.match(await told(daemon, { email: '', askCode }), { code: 'bad-email' });
  t.match(await told(daemon, { fullName: 'a\u0007' }), { code: 'bad-full-name' });
  t.match(
    await told(daemon, { email: 'eve@mail.example', askCode: () => Promise.reject(new Error('gone away')) }),
    /gone away/,
  );
});

test('codes by mail as the second factor: to the address of the registration, to another, and off again', async (t) => {
  const daemon = await server(t, {});
  const { mailed } = daemon;
  const [user, untold] = [await newUser(), await newUser()];
  const first = addressOf(user);
  const told = { email: first, code: () => Promise.resolve(mailed.get(first) ?? '') };
  await registerUser(await sessionAt(daemon), user, told);
  await registerUser(await sessionAt(daemon), untold);
  const proof = (who: RawUser, more: object = {}) => ({ words: who.proof, ...noCode, ...more });
  const begin = async (raw: RawConnection, who: RawUser, email: string, more: object = {}): Promise<Code> => {
    const fields = { kind: SecondFactor.mail, ...proof(who, more), email: utf8(email) };
    return (await raw.ask(structs.fact1, fields)).header.code;
  };
  const confirm = async (raw: RawConnection, code: string): Promise<Code> =>
    (await raw.ask(structs.fact2, { code: utf8(code) })).header.code;

  const other = await sessionAt(daemon);
  await logIn(other, untold);
  t.equal(await begin(other, untold, ''), Code.conflict, 'no address');
  t.equal(await begin(other, untold, 'no address'), Code.malformed);
  const before = mailed.get(first);
  t.equal(await begin(other, untold, first, { words: nodeSync.random(32) }), Code.authentication);
  t.same([mailed.size, mailed.get(first)], [1, before], 'nothing was sent');

  const raw = await sessionAt(daemon);
  await logIn(raw, user);
  t.equal(await begin(raw, user, ''), Code.mailed);
  t.equal(await confirm(raw, '12345678'), Code.authentication);
  t.equal(await confirm(raw, mailed.get(first) ?? ''), Code.done);
  t.match((await raw.ask(structs.acct, {})).values, { factor: SecondFactor.mail, codes: 10, email: utf8(first) });
  t.equal((await logIn(await sessionAt(daemon), user)).header.code, Code.authentication, 'a code is due from now on');

  const again = await sessionAt(daemon);
  const typed = (): Promise<string> => Promise.resolve(mailed.get(first) ?? '');
  t.equal((await logIn(again, user, { mailed: typed })).header.code, Code.done);
  const second = 'another@mail.example';
  t.equal(await begin(again, user, second), Code.authentication, 'another address takes a code of this one');
  const ask = () => again.ask(structs.mcod, { words: user.proof });
  t.equal((await ask()).header.code, Code.mailed);
  t.equal(await begin(again, user, second, { factor: 4, code: utf8(await typed()) }), Code.mailed);
  t.equal((await ask()).header.code, Code.mailed);
  t.equal(await confirm(again, await typed()), Code.authentication, 'what went to the former one confirms nothing');
  t.equal(await confirm(again, mailed.get(second) ?? ''), Code.done);
  t.match((await again.ask(structs.acct, {})).values, { email: utf8(second) });
  t.equal((await ask()).header.code, Code.mailed);
  const off = { kind: SecondFactor.none, ...proof(user, { factor: 4, code: utf8(mailed.get(second) ?? '') }) };
  t.equal((await again.ask(structs.fact1, { ...off, email: new Uint8Array(0) })).header.code, Code.done);
  t.equal((await logIn(await sessionAt(daemon), user)).header.code, Code.done, 'none is asked for any more');
});
