/** What a person types and sees who changes their secrets, or takes the account to another device. */
import { chmodSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { utf8 } from '../../protocol/index.js';
import { nodeSync, passwordClient } from '../../src/crypto/index.js';
import { codeNeeded } from '../../src/client/errors.js';
import { error } from '../../src/client/index.js';
import { sealIdentity, stretchNew, type Me } from '../../src/client/identity.js';
import { faceOf, FakeClient } from './cli-fake.js';
import { anyNetwork, clientCrypto } from './client-support.js';

const present = { password: 'correct horse', words: 'river stone lamp' };
const identity = await sealed();
const drawn = /^[a-z]+ [a-z]+ [a-z]+$/;

/** As the command line opens it: with the stretching of real clients. */
async function sealed(): Promise<Uint8Array> {
  const crypto = { ...(await clientCrypto()), password: await passwordClient() };
  const [enc, sig] = [await crypto.keys.generate(), await crypto.keys.generate()];
  const rest = { password: '', w: new Uint8Array(32), stateKey: nodeSync.random(16) };
  const me: Me = { name: 'alice', uid: nodeSync.random(16), enc, sig, ...rest };
  return sealIdentity(crypto, anyNetwork.network, me, await stretchNew(crypto, present));
}

const agreeable = () => new FakeClient({ 'secrets-change': () => ({}) });
const callsOf = ({ calls }: FakeClient) => calls.filter(([name]) => name === 'secrets-change').map(([, args]) => args);

function fileWith(t: Test, name: string, value: unknown): string {
  const file = join(t.testdirName, name);
  writeFileSync(file, JSON.stringify(value), { mode: 0o600 });
  chmodSync(file, 0o600);
  return file;
}

test('password change: the present secrets, then the new password twice', async (t) => {
  const client = agreeable();
  const face = await faceOf(t, client, identity);
  const typed = [
    present.password,
    present.words,
    'short',
    'another horse',
    'another hoarse',
    'another horse',
    'another horse',
  ];
  const { exit, out, err } = await face.run(['password', 'change'], typed);
  t.equal(exit, 0, err);
  t.equal(out, 'the password of @alice is changed: log in with it from now on; other sessions of the account ended\n');
  t.match(err, /Password: .*Three words: .*New password.*too short.*New password.*The same again.*differ/s);
  t.notMatch(err + out, /horse|river/, 'nothing typed is shown');
  t.same(callsOf(client), [{ present, next: { ...present, password: 'another horse' } }]);
});

test('words change: chosen, or drawn and shown before the daemon is asked', async (t) => {
  const client = agreeable();
  const face = await faceOf(t, client, identity);
  const chosen = await face.run(
    ['words', 'change'],
    [present.password, present.words, 'two words', 'Brook cloud window'],
  );
  t.match(chosen.out, /^your three new words: Brook cloud window\nnote them now.*\nthe words of @alice are changed/);
  client.answers['secrets-change'] = () => {
    throw error('unsettled');
  };
  const lost = await face.run(['words', 'change'], [present.password, present.words, '']);
  t.equal(lost.exit, 3);
  t.match(lost.out, /^your three new words: [a-z]+ [a-z]+ [a-z]+\n/);
  t.match(lost.err, /not known whether the change was done.*log in with the new ones/);
  const [first, second] = callsOf(client) as { next: typeof present }[];
  t.same(first, { present, next: { ...present, words: 'Brook cloud window' } });
  t.match(second, { present, next: { password: present.password, words: drawn } });
});

test('wrong secrets and a profile that is empty: the core is asked nothing', async (t) => {
  const client = agreeable();
  const face = await faceOf(t, client, identity);
  t.match(await face.run(['password', 'change'], ['wrong horse', present.words]), { exit: 1, err: /wrong password/ });
  t.match(await face.run(['words', 'change'], [present.password, 'a b c']), { exit: 1, err: /wrong words/ });
  t.match(await face.run(['words', 'change', '--profile', 'none']), { exit: 1, err: /profile none is empty/ });
  t.match(await face.run(['password', 'change']), { exit: 1, err: /no terminal to ask on/ });
  t.match(await face.run(['password']), { exit: 1, err: /no command — see cadenas password --help/ });
  for (const group of ['account', 'sessions', '2fa'])
    t.match(await face.run([group]), { exit: 1, err: new RegExp(`no command — see cadenas ${group} --help`) });
  t.match(await face.run(['account', 'exprot']), { exit: 1, err: /see cadenas account --help/ });
  t.same(client.calls, []);
});

test('the new secrets from a file, and what lacks there', async (t) => {
  const client = agreeable();
  const face = await faceOf(t, client, identity);
  const by = (value: object, ...argv: string[]) =>
    face.run(['--json', '--secrets-file', fileWith(t, 'secrets.json', value), ...argv]);
  const next = { password: 'another horse', words: 'brook cloud window' };
  const password = await by({ ...present, new: next }, 'password', 'change');
  t.same(password.json, [{ type: 'secrets', name: 'alice', changed: 'password' }]);
  const words = await by({ ...present, new: next }, 'words', 'change');
  t.same(words.json, [{ type: 'secrets', name: 'alice', changed: 'words' }]);
  const none = await by(present, 'words', 'change');
  t.match(none.json, [
    { type: 'words', words: drawn },
    { type: 'secrets', changed: 'words' },
  ]);
  t.match((await by(present, 'password', 'change')).json, [{ type: 'error', code: 'secrets', hint: /"new"/ }]);
  t.match((await by({ ...present, new: { password: 'short' } }, 'password', 'change')).json, [
    { code: 'weak-password' },
  ]);
  for (const bad of [{ new: 7 }, { new: null, password: 7 }, { new: { password: 7 } }, { export: 7 }])
    t.match((await by({ ...present, ...bad }, 'password', 'change')).json, [{ type: 'error', code: 'secrets' }]);
  t.same(callsOf(client).slice(0, 2), [
    { present, next: { ...present, password: next.password } },
    { present, next: { ...present, words: next.words } },
  ]);
});

test('a second factor: the code is asked for when it is needed, or given', async (t) => {
  const client = agreeable();
  const face = await faceOf(t, client, identity);
  client.answers['secrets-change'] = ({ code }) => {
    if (code === undefined) throw codeNeeded('alice', false);
    if (code !== '123456') throw error('wrong-code');
    return {};
  };
  const typed = [present.password, present.words, 'another horse', 'another horse'];
  const asked = await face.run(['password', 'change'], [...typed, '123456']);
  t.equal(asked.exit, 0, asked.err);
  t.match(asked.err, /Code of your authenticator \(or a recovery code\): 123456\n/);
  const wrong = [...typed, '999999', '999998', '999997'];
  t.match(await face.run(['password', 'change'], wrong), { exit: 1, err: /the code does not count/ });
  const given = { ...present, new: { password: 'another horse' } };
  const file = fileWith(t, 'secrets.json', { ...given, code: '123456' });
  t.equal((await face.run(['password', 'change', '--secrets-file', file])).exit, 0);
  const without = fileWith(t, 'without.json', given);
  t.match(await face.run(['password', 'change', '--secrets-file', without]), {
    exit: 1,
    err: /"code" among the secrets/,
  });
});

test('account export and import: a passphrase is typed twice, or drawn and shown once', async (t) => {
  const face = await faceOf(t, agreeable(), identity);
  const own = [present.password, present.words];
  const path = join(t.testdirName, 'account');
  const made = await face.run(['account', 'export', path], [...own, '']);
  t.equal(made.exit, 0, made.err);
  const passphrase = /^the passphrase of the file: ((?:[a-z]+ ){4}[a-z]+)$/m.exec(made.out)?.[1] ?? '';
  t.match(
    made.out,
    /^exported @alice to .*account: 0 contacts, 0 rooms\nthe passphrase.*\nnote it now.*\ntexts are not in it/,
  );
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.match(readFileSync(path, 'latin1'), /^\{"format":"cadenas account","version":1,"network":"test","name":"alice",/);
  const again = await face.run(['account', 'export', path], own);
  t.match(again, { exit: 1, err: /exists already — name another file/ });
  t.notMatch(again.err, /Password/, 'nobody types for nothing');
  const link = join(t.testdirName, 'link');
  symlinkSync('nowhere', link);
  t.match(await face.run(['account', 'export', link], own), { exit: 1, err: /exists already/ });
  t.match(await face.run(['account', 'export', `${path}/x`], own), {
    exit: 1,
    err: /can't be written \(ENOTDIR\)/,
  });
  const missing = await face.run(['account', 'export', join(t.testdirName, 'no', 'file')], own);
  t.match(missing, { exit: 1, err: /there is no folder .*no — make it first/ });
  t.notMatch(missing.err, /Password/);

  const elsewhere = ['--home', join(t.testdirName, 'another')];
  const into = (typed: readonly string[], file = path) => face.run([...elsewhere, 'account', 'import', file], typed);
  t.match(await into(['wrong phrase']), { exit: 1, err: /wrong passphrase/ });
  t.match(await into([passphrase], `${path}s`), { exit: 1, err: /can't be read \(ENOENT\)/ });
  t.match(await into([passphrase], t.testdirName), { exit: 1, err: /is not a file|EISDIR/ });
  const broken = join(t.testdirName, 'broken');
  writeFileSync(broken, readFileSync(path).subarray(0, -1));
  const damaged = await into([passphrase], broken);
  t.match(damaged, { exit: 1, err: /the exported account is damaged/ });
  t.notMatch(damaged.err, /Passphrase/, 'before a passphrase is asked for');
  const taken = await into([passphrase]);
  t.equal(taken.exit, 0, taken.err);
  t.match(
    taken.out,
    /^@alice is in profile default: 0 contacts, 0 rooms\ndo not use .* former device.*\n.*\n?next: .*login/m,
  );
  t.notMatch(taken.err, new RegExp(passphrase));
  t.match(await into([passphrase]), { exit: 1, err: /belongs to @alice already/ });
  t.match(await face.run([...elsewhere, 'whoami']), {
    out: /^@alice on network test, profile default \(not logged in\)/,
  });
});

test('account export and import without a terminal', async (t) => {
  const face = await faceOf(t, agreeable(), identity);
  const path = join(t.testdirName, 'account');
  const by = (value: object, ...argv: string[]) =>
    face.run(['--json', ...argv, '--secrets-file', fileWith(t, 'secrets.json', value)]);
  const made = await by({ ...present, export: 'a phrase of this file' }, 'account', 'export', path);
  t.same(made.json, [{ type: 'exported', name: 'alice', file: path, contacts: 0, rooms: 0, waiting: 0, unread: 0 }]);
  const drawnToo = await by(present, 'account', 'export', `${path}2`);
  t.match(drawnToo.json, [{ type: 'exported', passphrase: /^(?:[a-z]+ ){4}[a-z]+$/ }]);
  const elsewhere = ['--home', join(t.testdirName, 'another')];
  t.match((await by({}, ...elsewhere, 'account', 'import', path)).json, [{ code: 'secrets', hint: /"export"/ }]);
  const none = await face.run([...elsewhere, 'account', 'import', path]);
  t.match(none, { exit: 1, err: /the passphrase is needed/ });
  const taken = await by({ export: 'a phrase of this file' }, ...elsewhere, 'account', 'import', path);
  t.match(taken.json, [
    { type: 'imported', name: 'alice', network: 'test', profile: 'default', contacts: 0, rooms: 0 },
  ]);
  t.match(await face.run(['account', 'export', `${path}3`, '--profile', 'none']), { exit: 1, err: /is empty/ });
  writeFileSync(`${path}4`, utf8('hello'));
  t.match(await face.run([...elsewhere, '--profile', 'two', 'account', 'import', `${path}4`]), {
    exit: 1,
    err: /this is no exported account/,
  });
});
