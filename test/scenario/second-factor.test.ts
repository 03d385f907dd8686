/** The second factor at a running daemon (SPEC 6.8), case 12. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { hex, ID, structs, typedCode, type Values } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { makeNetwork, startDaemon } from '../support/daemon.js';
import { connected, enter, newPerson, startLavish } from '../support/people.js';
import { logIn, noCode, type RawConnection, type RawUser } from '../support/raw.js';
import { enableTotp, noMail, recovery, totp } from '../support/second-factor.js';

type View = Values<typeof structs.acctAnswer>;
const viewOf = async (raw: RawConnection): Promise<View> => (await raw.ask(structs.acct, {})).values as View;
const proofOf = (user: RawUser) => ({ words: user.proof, ...noCode });

void test('a secret counts once a code of it was shown; then no login goes without one', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork() });
  const { raw, user } = await newPerson(t, daemon, 'alice');
  t.match(await viewOf(raw), { factor: 0, codes: 0, fullName: new Uint8Array(0), email: new Uint8Array(0) });
  const code = async (answer: Promise<{ header: { code: number } }>): Promise<number> => (await answer).header.code;
  t.equal(await code(raw.ask(structs.fact2, { code: totp(nodeSync.random(20)).code })), 409, 'nothing was begun');
  const begun = await raw.ask(structs.fact1, { kind: 1, ...proofOf(user), ...noMail });
  t.equal(begun.header.code, 101);
  t.equal((await viewOf(raw)).factor, 0, 'it does not count yet');
  for (let i = 0; i < 5; i++)
    t.equal(await code(raw.ask(structs.fact2, { code: totp(nodeSync.random(20)).code })), 401, 'another secret’s');
  const { secret: given } = begun.values as Values<typeof structs.fact1Answer>;
  t.equal(await code(raw.ask(structs.fact2, { code: totp(given).code })), 409, 'after five mistakes it begins anew');
  t.equal(
    await code(raw.ask(structs.fact1, { kind: 1, ...proofOf(user), words: nodeSync.random(32), ...noMail })),
    401,
    'other words',
  );

  const { secret, codes } = await enableTotp(raw, user);
  t.equal(new Set(codes.map(hex)).size, 10, 'ten recovery codes, none twice');
  t.match(await viewOf(raw), { factor: 1, codes: 10 });

  const tries: readonly (readonly [string, object, number])[] = [
    ['no code', noCode, 401],
    ['a code of the step before last', totp(secret, -3), 401],
    ['the code that set it up', totp(secret, -1), 401],
    ['letters', { factor: 1, code: Buffer.from('abcdef') }, 401],
    ['a grant that nobody gave', { factor: 3, code: nodeSync.random(32) }, 401],
    ['a code by mail, which this account has not', { factor: 4, code: Buffer.from('12345678') }, 401],
    ['the code of now', totp(secret), 200],
    ['the same once more', totp(secret), 401],
    ['a code of the step before, behind one that counted', totp(secret, -1), 401],
  ];
  for (const [what, shown, due] of tries) {
    const other = await connected(t, daemon);
    t.equal(await code(logIn(other, user, { code: shown as typeof noCode })), due, what);
    other.close();
  }
});

void test('what counted once counts no more, also when the daemon is killed right behind it', async (t) => {
  const network = await makeNetwork();
  const daemon = await startLavish(t, { network });
  const { raw, user } = await newPerson(t, daemon, 'alice');
  const { secret, codes } = await enableTotp(raw, user);
  const [first = new Uint8Array(0), second = new Uint8Array(0)] = codes;
  const shown = totp(secret);
  t.equal((await logIn(await connected(t, daemon), user, { code: shown })).header.code, 200);
  t.equal((await logIn(await connected(t, daemon), user, { code: recovery(first) })).header.code, 200);
  await daemon.kill();
  const next = await startLavish(t, { network, data: daemon.data });
  for (const [what, spent] of [
    ['the one-time code', shown],
    ['the recovery code', recovery(first)],
  ] as const)
    t.equal((await logIn(await connected(t, next), user, { code: spent })).header.code, 401, what);
  t.equal((await logIn(await connected(t, next), user, { code: recovery(second) })).header.code, 200, 'another one');

  for (const path of await readdir(daemon.data, { recursive: true, withFileTypes: true })) {
    if (!path.isFile()) continue;
    const bytes = await readFile(join(path.parentPath, path.name));
    const text = bytes.toString('latin1');
    for (const hidden of [secret, ...codes])
      t.notOk(
        bytes.includes(Buffer.from(hidden)) || text.includes(hex(hidden)) || text.includes(typedCode(hidden)),
        `no secret and no code in ${path.name}`,
      );
  }
});

void test('of two at once with one recovery code one is let in', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork() });
  const { raw, user } = await newPerson(t, daemon, 'alice');
  const { codes, secret } = await enableTotp(raw, user);
  for (const [n, shown] of [...codes.slice(0, 6).map(recovery), totp(secret)].entries()) {
    const both = await Promise.all([connected(t, daemon), connected(t, daemon)]);
    const answers = await Promise.all(both.map((one) => logIn(one, user, { code: shown })));
    t.same(answers.map(({ header }) => header.code).sort(), [200, 401], `code ${String(n)}`);
    for (const one of both) one.close();
  }
  t.equal((await viewOf((await enterBy(t, daemon, user, codes[6])).raw)).codes, 3);
});

async function enterBy(
  t: Parameters<typeof connected>[0],
  daemon: Parameters<typeof connected>[1],
  user: RawUser,
  code: Uint8Array | undefined,
) {
  const raw = await connected(t, daemon);
  const { header, values } = await logIn(raw, user, { code: recovery(code ?? new Uint8Array(0)) });
  if (header.code !== 200) throw new Error(`login: ${String(header.code)}`);
  return { raw, grant: (values as Values<typeof structs.passAnswer>).grant.slice() };
}

void test('a grant stands for the code, until the session ends or is ended', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork() });
  const { user } = await newPerson(t, daemon, 'alice');
  const before = await connected(t, daemon);
  const old = (await logIn(before, user)).values as Values<typeof structs.passAnswer>;
  const grantOfBefore = old.grant.slice();
  before.close();
  const again = (await enter(t, daemon, user)).raw;
  const { codes } = await enableTotp(again, user);
  t.equal((await logIn(await connected(t, daemon), user, { grant: grantOfBefore })).header.code, 401, 'of before it');

  const one = await enterBy(t, daemon, user, codes[0]);
  const other = await enterBy(t, daemon, user, codes[1]);
  t.equal((await logIn(await connected(t, daemon), user, { grant: one.grant })).header.code, 200, 'in place of a code');
  const here = await connected(t, daemon);
  t.equal((await logIn(here, user, { grant: other.grant })).header.code, 200);
  const view = await viewOf(here);
  const id = (grant: Uint8Array): string => hex(nodeSync.sha256(grant).subarray(0, ID));
  t.equal(hex(view.current), id(other.grant));
  t.ok(view.sessions.some((session) => hex(session.id) === id(one.grant)));
  const revoke = (session: Uint8Array) => here.ask(structs.rvok, { session });
  t.equal((await revoke(nodeSync.random(ID))).header.code, 404);
  t.equal((await revoke(nodeSync.sha256(one.grant).subarray(0, ID))).header.code, 200);
  const third = await enterBy(t, daemon, user, codes[2]);
  const back = await connected(t, daemon);
  t.equal((await logIn(back, user, { grant: one.grant })).header.code, 401, 'it is over');
  t.equal((await logIn(await connected(t, daemon), user, { grant: third.grant })).header.code, 200);
  const last = await connected(t, daemon);
  t.equal((await logIn(last, user, { grant: other.grant })).header.code, 200);
  t.equal((await last.ask(structs.rvok, { session: new Uint8Array(ID) })).header.code, 200, 'all others');
  t.equal((await viewOf(last)).sessions.length, 1);
  const own = (await viewOf(last)).current.slice();
  t.equal((await last.ask(structs.rvok, { session: own })).header.code, 200);
  t.equal((await last.event(structs.clos)).header.code, 401, 'its own ends with its connection');
});

void test('what changes the account asks for words and a fresh code', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork() });
  const { raw, user } = await newPerson(t, daemon, 'alice');
  const { secret, codes } = await enableTotp(raw, user);
  const [first = new Uint8Array(0), second = new Uint8Array(0)] = codes;
  const here = await connected(t, daemon);
  const { grant } = (await logIn(here, user, { code: recovery(first) })).values as Values<typeof structs.passAnswer>;
  const off = (shown: object) => here.ask(structs.fact1, { kind: 0, ...noMail, ...proofOf(user), ...shown });
  for (const [what, shown] of [
    ['no code', {}],
    ['the grant of the session', { factor: 3, code: grant }],
    ['a code that counted', recovery(first)],
    ['other words, which spend no code', { words: nodeSync.random(32), ...recovery(second) }],
  ] as const) {
    t.equal((await off(shown)).header.code, 401, what);
    t.equal((await here.ask(structs.rcod, { ...proofOf(user), ...shown })).header.code, 401, what);
  }
  const renewed = await here.ask(structs.rcod, { ...proofOf(user), ...recovery(second) });
  t.equal(renewed.header.code, 200, 'the other words had not spent it');
  const fresh = (renewed.values as Values<typeof structs.rcodAnswer>).codes.map(({ code }) => code.slice());
  t.equal((await off(recovery(codes[2] ?? first))).header.code, 401, 'those before count no more');
  t.equal((await off(totp(secret))).header.code, 200);
  t.match(await viewOf(here), { factor: 0, codes: 10 }, 'recovery codes stay for a recovery');
  t.equal((await off({})).header.code, 200, 'once more changes nothing');
  t.equal((await logIn(await connected(t, daemon), user)).header.code, 200, 'no code any more');
  t.equal((await logIn(await connected(t, daemon), user, { code: recovery(fresh[0] ?? first) })).header.code, 401);
});

void test('who has password and words guesses no code', async (t) => {
  const daemon = await startDaemon(t, { network: await makeNetwork() });
  const { raw, user } = await newPerson(t, daemon, 'alice');
  await enableTotp(raw, user);
  const codes: number[] = [];
  for (let n = 0; n < 14 && codes.at(-1) !== 429; n++)
    codes.push((await logIn(await connected(t, daemon), user, { code: totp(nodeSync.random(20)) })).header.code);
  t.equal(codes.at(-1), 429, 'the account makes them wait');
  t.ok(codes.length <= 12, `after ${String(codes.length)} logins`);
});
