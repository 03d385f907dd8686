/** recover, account renew-keys, account delete: what is asked, what is said, and what is left. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { error } from '../../src/client/index.js';
import { codeNeeded } from '../../src/client/errors.js';
import { temporaryFolder } from '../support/temp.js';
import { faceOf, FakeClient } from './cli-fake.js';

const status = {
  name: 'alice',
  uid: '0a'.repeat(16),
  network: 'test',
  fingerprint: 'ab'.repeat(32),
  server: 'memory:1',
  session: 'online',
  ends: 1,
  unread: 0,
  waiting: 0,
  contacts: 0,
} as const;

async function secretsFile(t: Test, more: object = {}): Promise<string> {
  const path = join(await temporaryFolder(t), 'secrets');
  writeFileSync(path, JSON.stringify({ password: 'correct horse', words: 'river stone lamp', ...more }), {
    mode: 0o600,
  });
  return path;
}

test('new keys are asked for with the secrets, and with a code where there is a second factor', async (t) => {
  const client = new FakeClient({
    status: () => status,
    'renew-keys': ({ code }) => {
      if (code === undefined) throw codeNeeded('alice', false);
      return {};
    },
  });
  const face = await faceOf(t, client);
  const asked = ['account', 'renew-keys', '--json', '--secrets-file', await secretsFile(t)];
  const without = await face.run(asked);
  t.match([without.exit, without.json], [1, [{ type: 'error', code: 'code-needed' }]]);
  const coded = ['account', 'renew-keys', '--json', '--secrets-file', await secretsFile(t, { code: '123456' })];
  const { exit, json } = await face.run(coded);
  t.match([exit, json], [0, [{ type: 'renewed', name: 'alice', fingerprint: status.fingerprint }]]);
  t.match(client.calls.at(-2), [
    'renew-keys',
    { password: 'correct horse', words: 'river stone lamp', code: '123456' },
  ]);
  const typed = await face.run(['account', 'renew-keys'], ['correct horse', 'river stone lamp', '654321']);
  t.equal(typed.exit, 0);
  t.match(typed.out, /@alice has new keys/);
});

test('an account is deleted when its name was typed, and its profile goes with it', async (t) => {
  const client: FakeClient = new FakeClient({
    'delete-account': () => {
      setImmediate(() => {
        client.tell({ type: 'ended', trouble: error('account-gone').trouble });
      });
      return {};
    },
  });
  const face = await faceOf(t, client);
  const folder = join(face.home, 'test', 'default');
  const file = ['--secrets-file', await secretsFile(t)];
  t.match(await face.run(['account', 'delete', ...file]), { exit: 1, err: /--yes/ });
  t.match(await face.run(['account', 'delete', ...file], ['@alicia']), { exit: 1, err: /nothing was deleted/ });
  t.same(client.calls, []);
  t.ok(existsSync(folder));
  const { exit, json } = await face.run(['account', 'delete', '--yes', '--json', ...file]);
  t.match([exit, json], [0, [{ type: 'account-gone', name: 'alice', profile: 'default' }]]);
  t.notOk(existsSync(folder));
});

test('what the daemon does not take deletes nothing', async (t) => {
  const client = new FakeClient({
    'delete-account': () => {
      throw error('wrong-code');
    },
  });
  const face = await faceOf(t, client);
  const asked = ['account', 'delete', '--yes', '--json', '--secrets-file', await secretsFile(t)];
  t.match(await face.run(asked), { exit: 1, json: [{ code: 'wrong-code' }] });
  t.ok(existsSync(join(face.home, 'test', 'default', 'identity')));
});

test('recover: into an empty profile, with a code', async (t) => {
  const face = await faceOf(t, new FakeClient({}));
  t.match(await face.run(['recover', '@alice', '--json']), { exit: 1, json: [{ code: 'registered' }] });
  const empty = ['--profile', 'other', '--json'];
  t.match(await face.run(['recover', 'no name', ...empty]), { exit: 1, json: [{ code: 'bad-name' }] });
  const none = ['recover', '@alice', ...empty, '--secrets-file', await secretsFile(t)];
  t.match(await face.run(none), { exit: 1, json: [{ code: 'secrets', hint: /"recovery"/ }] });
  const wrong = [...none.slice(0, -1), await secretsFile(t, { recovery: 'no code' })];
  t.match(await face.run(wrong), { exit: 1, json: [{ code: 'bad-recovery-code' }] });
  const odd = [...none.slice(0, -1), await secretsFile(t, { recovery: 7 })];
  t.match(await face.run(odd), { exit: 1, json: [{ code: 'secrets' }] });
  const drawn = join(await temporaryFolder(t), 'drawn');
  writeFileSync(drawn, JSON.stringify({ password: 'correct horse', recovery: 'abcd-efgh-ijkl-mnop' }), { mode: 0o600 });
  const away = ['recover', '@alice', ...empty, '--server', '127.0.0.1:1', '--disable-ssl', '--secrets-file', drawn];
  const { exit, json } = await face.run(away);
  t.match(
    [exit, json],
    [3, [{ type: 'words', words: /^[a-z]+ [a-z]+ [a-z]+$/ }, { code: 'no-daemon' }]],
    'shown before',
  );
});
