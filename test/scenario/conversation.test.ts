/** Two people who own nothing but a client of the network, through real processes, over TCP and TLS. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { textsOf, twoUsers } from '../support/cli-users.js';
import { makeNetwork, startDaemon } from '../support/daemon.js';
import { startLavish } from '../support/people.js';

for (const tls of [true, false]) {
  test(`a conversation over ${tls ? 'TLS' : 'TCP'}, one of the two away for a while`, async (t) => {
    const daemon = await startDaemon(t, { network: await makeNetwork(), tls });
    const [alice, bob] = await twoUsers(t, daemon);
    const [asked] = await alice.ask('add', '@bobby');
    t.match(asked, { type: 'relation', name: 'bobby', relation: 'asked', pending: false });
    const [early] = await alice.ask('send', '@bobby', 'before you accepted');
    t.match(early, { type: 'sent', state: 'waiting' }, 'waits in the outbox for the acceptance');
    t.match(await bob.ask('receive'), [{ type: 'notice', kind: 'request', name: 'alice' }]);
    await bob.ask('login');
    t.match(await bob.ask('accept', '@alice'), [{ relation: 'open' }]);

    const follower = bob.follow('receive', '--follow');
    await alice.ask('login');
    t.match(await follower.next('message'), { from: 'alice', text: 'before you accepted' });
    const [sent] = await alice.ask('send', '@bobby', 'while you look');
    t.match(sent, { state: 'delivered' });
    t.match(await follower.next('message'), { from: 'alice', text: 'while you look' });
    t.match((await bob.ask('send', '@alice', 'from the same profile, beside the follower'))[0], { state: 'delivered' });
    follower.child.kill('SIGTERM');
    t.equal(await follower.ended, 0);
    await bob.ask('logout');

    const marks = alice.follow('receive', '--follow');
    t.match(await marks.next('notice'), { kind: 'accepted', name: 'bobby' });
    t.match(await marks.next('message'), { from: 'bobby', text: 'from the same profile, beside the follower' });
    const ids: unknown[] = [];
    for (let i = 1; i <= 5; i++) {
      const [away] = await alice.ask('send', '@bobby', `while you are away ${String(i)}`);
      t.match(away, { state: 'queued' });
      ids.push(away?.['id']);
    }
    t.same(
      textsOf(await bob.ask('receive')),
      [1, 2, 3, 4, 5].map((i) => `while you are away ${String(i)}`),
    );
    t.same(await bob.ask('receive'), [], 'nothing new is exit 0');
    for (const id of ids) await marks.next('delivery', { id, state: 'read' });
    marks.child.kill('SIGTERM');
    await marks.ended;
    const history = await alice.ask('history', '@bobby');
    t.same(
      history.filter((line) => ids.includes(line['id'])).map((line) => line['state']),
      Array(5).fill('read'),
      'marked as read when they were',
    );
    t.equal(history.length, 8);
    t.equal((await bob.ask('history', '@alice')).length, 8);
  });
}

test('the daemon away: kept in the outbox, exit 3, delivered once when it is back', async (t) => {
  const network = await makeNetwork();
  const daemon = await startDaemon(t, { network });
  const [alice, bob] = await twoUsers(t, daemon);
  await alice.ask('add', '@bobby');
  await bob.ask('accept', '@alice');
  await alice.ask('receive');
  await daemon.stop();
  const kept = await alice.run('--json', 'send', '@bobby', 'into the outbox');
  t.equal(kept.code, 3);
  t.match(kept.json, [
    { type: 'sent', state: 'waiting' },
    { type: 'error', code: 'no-daemon' },
  ]);
  const asked = await alice.run('add', '@carol');
  t.equal(asked.code, 3, 'a request is kept too');
  t.match(asked.err, /^cadenas: kept for later: no daemon answers at .* — start cadenasd/);
  const again = await startDaemon(t, { network, data: daemon.data });
  for (const user of [alice, bob]) user.where = again;
  const later = await alice.ask('receive');
  t.match(later, [{ kind: 'unknown-name', name: 'carol' }], 'the 404 is shown later');
  t.same(textsOf(await bob.ask('receive')), ['into the outbox']);
  t.same(await bob.ask('receive'), []);
  const status = (await alice.ask('status'))[0];
  t.match(status, { waiting: 0, session: 'online' });
});

test('a login in the background survives the daemon’s restart and serves other commands', async (t) => {
  const network = await makeNetwork();
  const first = await startDaemon(t, { network });
  const [alice, bob] = await twoUsers(t, first);
  await alice.ask('add', '@bobby');
  await bob.ask('accept', '@alice');
  await alice.ask('login');
  t.match(await alice.ask('login'), [{ type: 'login', already: true }]);
  const follower = alice.follow('receive', '--follow');
  await follower.next('notice', { kind: 'accepted' });
  await first.kill();
  await follower.next('session', { state: 'waiting' });
  const second = await startDaemon(t, { network, data: first.data, port: first.port });
  await follower.next('session', { state: 'online' });
  bob.where = second;
  await bob.ask('send', '@alice', 'after the restart');
  t.match(await follower.next('message'), { text: 'after the restart' });
  await alice.ask('logout');
  t.equal(await follower.ended, 1, 'the follower says that the session is over');
  t.match(await alice.ask('logout'), [{ was: false }]);
});

test('case 15: hostile texts are shown as harmless ones; standard input, dashes, newlines', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork() });
  const [alice, bob] = await twoUsers(t, daemon);
  await alice.ask('add', '@bobby');
  await bob.ask('accept', '@alice');
  await bob.ask('login');
  await alice.ask('login');
  const hostile = 'red \u001b[31m \u202eevil\u202c {bold}x{/bold} \u0007\u009b2J\nsecond line';
  t.equal((await alice.command(['send', '@bobby', '-'], `${hostile}\n`)).code, 0);
  t.equal((await alice.run('send', '@bobby', '--', '--json')).code, 0, 'a dash after --');
  const shown = (await bob.run('receive')).out;
  // eslint-disable-next-line no-control-regex -- the control characters that must not be there
  t.notMatch(shown, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/, 'shown as harmless text');
  t.match(shown, /evil/);
  t.match(shown, /\n {8}second line/, 'a second line is indented, so that nobody writes in another’s name');
  t.match(shown, /@alice: --json/);
  const lines = await bob.ask('history', '@alice');
  t.equal(lines[0]?.['text'], hostile, 'JSON has the text itself');
  const long = await alice.command(['send', '@bobby', '-'], 'ž'.repeat(32_769));
  t.equal(long.code, 1);
  t.match(long.err, /65538 bytes, the limit is 65536/);
  t.equal((await alice.command(['send', '@bobby', '-'], 'ž'.repeat(32_768))).code, 0);
});

test('nothing readable is on either disk, and nobody’s address', async (t) => {
  const daemon = await startDaemon(t, { network: await makeNetwork() });
  const [alice, bob] = await twoUsers(t, daemon);
  await alice.ask('add', '@bobby');
  await bob.ask('accept', '@alice');
  await alice.ask('send', '@bobby', 'the plainest of texts');
  const filesOf = async (folder: string): Promise<[string, Buffer][]> => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    return Promise.all(files.map(async (path): Promise<[string, Buffer]> => [path, await readFile(path)]));
  };
  const secrets = ['the plainest of texts', 'password of', 'apple river stone', '127.0.0.1', 'BEGIN PRIVATE'];
  const all = [...(await filesOf(daemon.data)), ...(await filesOf(alice.home)), ...(await filesOf(bob.home))];
  t.ok(all.length > 8);
  for (const [path, bytes] of all) for (const secret of secrets) t.notOk(bytes.includes(secret), `${path}: ${secret}`);
  for (const [path, bytes] of await filesOf(alice.home))
    t.notOk(path.includes('state') && bytes.includes('bobby'), 'the contact book is sealed');
});
