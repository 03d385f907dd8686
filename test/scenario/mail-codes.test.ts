/** Codes by mail: where they go, what they count for, and who can use up whose. The daemon's server in this process. */
import { test } from 'tap';
import { Code, structs, utf8 } from '../../protocol/index.js';
import { SecondFactor } from '../../src/store/store.js';
import { sessionAt, startFuzzed, type FuzzedDaemon } from '../fuzz/daemon-server.js';
import {
  logIn,
  makeUser,
  noCode,
  registerUser,
  type FactorCode,
  type LoginChange,
  type RawConnection,
  type RawUser,
} from '../support/raw.js';

let people = 0;
const newUser = (): Promise<RawUser> => makeUser(`mail${String(people++)}`);

async function beginMail(raw: RawConnection, user: RawUser, email: string, shown = noCode): Promise<Code> {
  const fields = { kind: SecondFactor.mail, words: user.proof, ...shown, email: utf8(email) };
  return (await raw.ask(structs.fact1, fields)).header.code;
}

const mailedTo = ({ mailed }: FuzzedDaemon, email: string): Uint8Array => utf8(mailed.get(email) ?? '');

/** The factor is codes to this address from here on. */
async function toAddress(daemon: FuzzedDaemon, raw: RawConnection, user: RawUser, email: string, shown?: FactorCode) {
  const begun = await beginMail(raw, user, email, shown);
  const { header } = await raw.ask(structs.fact2, { code: mailedTo(daemon, email) });
  if (begun !== Code.mailed || header.code !== Code.done)
    throw new Error(`fact: ${String(begun)} ${String(header.code)}`);
}

/** Somebody whose codes go to `email`, logged in, from a source of their own. */
async function mailUser(daemon: FuzzedDaemon, email: string) {
  const user = await newUser();
  const raw = await sessionAt(daemon, `home of ${user.name}`);
  await registerUser(raw, user);
  await logIn(raw, user);
  await toAddress(daemon, raw, user, email);
  return { user, raw };
}

const ask = async (raw: RawConnection, { proof }: RawUser): Promise<Code> =>
  (await raw.ask(structs.mcod, { words: proof })).header.code;

const [former, later] = ['former@mail.example', 'later@mail.example'];

/** From one address to another, with a code that came to the former. */
async function move(daemon: FuzzedDaemon, raw: RawConnection, user: RawUser): Promise<void> {
  await ask(raw, user);
  await toAddress(daemon, raw, user, later, { factor: 4, code: mailedTo(daemon, former) });
}

test('a login that began before the address was changed has its code sent to the new one', async (t) => {
  const daemon = await startFuzzed(t);
  const { user, raw } = await mailUser(daemon, former);
  let before: string | undefined;
  const change: LoginChange = {
    proven: async () => {
      await move(daemon, raw, user);
      before = daemon.mailed.get(former);
    },
    mailed: () => Promise.resolve(daemon.mailed.get(former) ?? ''),
  };
  const { header } = await logIn(await sessionAt(daemon), user, change);
  t.equal(header.code, Code.authentication);
  t.equal(daemon.mailed.get(former), before, 'nothing more went to the former one');
});

test('a login that began before the password was changed gets no code', async (t) => {
  const daemon = await startFuzzed(t);
  const { user } = await mailUser(daemon, former);
  const before = daemon.mailed.get(former);
  const change: LoginChange = {
    proven: async () => {
      const changed = { record: new Uint8Array(192).fill(7) };
      await daemon.store.changeAccount(user.uid, (account) => ({ ...account, ...changed }));
    },
    mailed: () => Promise.resolve(''),
  };
  const { header, opcode } = await logIn(await sessionAt(daemon), user, change);
  t.same([header.code, opcode], [Code.authentication, structs.mcod.opcode]);
  t.equal(daemon.mailed.get(former), before, 'nothing was sent');
});

test('a code counts for the address that it went to: not once the account has another', async (t) => {
  const daemon = await startFuzzed(t);
  const { user, raw } = await mailUser(daemon, former);
  /* A recovery code moves it, so that the code that was sent stays unused. */
  const codes = (await raw.ask(structs.rcod, { words: user.proof, ...(await coded(daemon, raw, user)) })).values;
  const [first] = (codes as { codes: { code: Uint8Array }[] }).codes.map(({ code }) => code.slice());
  await ask(raw, user);
  await toAddress(daemon, raw, user, later, { factor: 2, code: first ?? new Uint8Array(0) });
  const sent = { factor: 4, code: mailedTo(daemon, former) };
  t.equal((await logIn(await sessionAt(daemon), user, { code: sent })).header.code, Code.authentication);
  const right = async (): Promise<string> => Promise.resolve(daemon.mailed.get(later) ?? '');
  t.equal((await logIn(await sessionAt(daemon), user, { mailed: right })).header.code, Code.done);
});

/** A code by mail, to show. */
async function coded(daemon: FuzzedDaemon, raw: RawConnection, user: RawUser): Promise<FactorCode> {
  await ask(raw, user);
  return { factor: 4, code: mailedTo(daemon, former) };
}

/** crea2 with an address, from somewhere. */
async function strange(daemon: FuzzedDaemon, email: string, source: string): Promise<Code> {
  const raw = await sessionAt(daemon, source);
  const { header } = await registerUser(raw, await newUser(), { email });
  raw.close();
  return header.code;
}

test('mails that strangers ask for take none of an account’s own: of the mailbox, the source, or all', async (t) => {
  const limits = { 'mails-per-hour-to-one': 2, 'mails-per-hour-per-source': 3, 'mails-per-hour': 11 };
  const daemon = await startFuzzed(t, undefined, { limits });
  const { user, raw } = await mailUser(daemon, former); // one mail
  const home = `home of ${user.name}`;
  t.equal(await strange(daemon, former, 'elsewhere'), Code.mailed);
  t.equal(await strange(daemon, former.toUpperCase(), 'elsewhere'), Code.limited, 'the mailbox');
  for (const name of ['a', 'b']) t.equal(await strange(daemon, `${name}@mail.example`, home), Code.mailed);
  t.equal(await strange(daemon, 'c@mail.example', home), Code.limited, 'the source');
  for (const name of ['d', 'e']) t.equal(await strange(daemon, `${name}@mail.example`, name), Code.mailed);
  t.equal(await strange(daemon, 'f@mail.example', 'f'), Code.limited, 'half of all');

  t.equal(await ask(raw, user), Code.mailed, 'the owner');
  const mailed = (): Promise<string> => Promise.resolve(daemon.mailed.get(former) ?? '');
  const next = await sessionAt(daemon, home); // takes the place of the other
  t.equal((await logIn(next, user, { mailed })).header.code, Code.done, 'in a login too');
  t.equal(await ask(next, user), Code.limited, 'an account has as many as a mailbox');
});

test('codes of accounts have budgets too: of a source, and in all', async (t) => {
  const limits = { 'mails-per-hour-per-source': 2, 'mails-per-hour': 6 };
  const daemon = await startFuzzed(t, undefined, { limits });
  const { user, raw } = await mailUser(daemon, former); // one mail
  for (let n = 0; n < 2; n++) t.equal(await ask(raw, user), Code.mailed);
  t.equal(await ask(raw, user), Code.limited, 'of one source');
  const mailed = (): Promise<string> => Promise.resolve(daemon.mailed.get(former) ?? '');
  const from = async (source: string): Promise<Code> =>
    (await logIn(await sessionAt(daemon, source), user, { mailed })).header.code;
  for (let n = 0; n < 3; n++) t.equal(await from(`source ${String(n)}`), Code.done);
  t.equal(await from('another'), Code.limited, 'in all');
});

test('one account sends codes to few addresses, and to its own none the less', async (t) => {
  const daemon = await startFuzzed(t, undefined, { limits: { 'mails-per-hour-to-one': 3 } });
  const user = await newUser();
  const raw = await sessionAt(daemon);
  const typed = (): Promise<string> => Promise.resolve(daemon.mailed.get(former) ?? '');
  await registerUser(raw, user, { email: former, code: typed });
  await logIn(raw, user);
  const codes: Code[] = [];
  for (let n = 0; n < 5; n++) codes.push(await beginMail(raw, user, `v${String(n)}@mail.example`));
  t.same(codes, [Code.mailed, Code.mailed, Code.limited, Code.limited, Code.limited], 'the first was at registration');
  t.equal(await beginMail(raw, user, ''), Code.mailed, 'the one that it has');
  t.equal(await beginMail(raw, user, former), Code.mailed, 'however it is said');
});
