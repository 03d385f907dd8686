/** Comparing keys, and a name that comes back with others, through real processes. */
import { test } from 'tap';
import { cadenasd } from '../support/cadenasd.js';
import { CliUser } from '../support/cli.js';
import { makeNetwork, startDaemon, type Daemon } from '../support/daemon.js';
import type { Teardown } from '../support/temp.js';

async function newUser(t: Teardown, daemon: Daemon, name: string): Promise<CliUser> {
  const user = await CliUser.make(t, { network: daemon.network, where: daemon, name });
  await user.ask('register', `@${name}`);
  return user;
}

test('two people compare; the name comes back with other keys; a person decides', async (t) => {
  const network = await makeNetwork();
  const first = await startDaemon(t, { network });
  const [alice, bob] = [await newUser(t, first, 'alice'), await newUser(t, first, 'bobby')];
  await alice.ask('add', '@bobby');
  t.match(await alice.run('verify', '@bobby'), { code: 1, err: /has not answered yet/ });
  await bob.ask('accept', '@alice');
  await alice.ask('login');

  const [[ours], [theirs]] = [await alice.ask('verify', '@bobby'), await bob.ask('verify', '@alice')];
  t.equal(ours?.['number'], theirs?.['number']);
  t.same(ours?.['words'], theirs?.['words']);
  const shown = await alice.run('verify', '@bobby');
  t.match(shown.out, /: not verified\n\n(?: {2}\d{5} \d{5} \d{5} \d{5}\n){3}\n(?: {2}[a-z]+ [a-z]+ [a-z]+\n){6}\n/);
  const [digits = ''] = /(?: {2}\d{5} \d{5} \d{5} \d{5}\n){3}/.exec(shown.out) ?? [];
  t.equal(digits.replace(/\D/g, ''), ours?.['number']);
  t.match(shown.out, /The same: \S.* verify @bobby --confirm\n$/);
  t.ok(shown.out.split('\n').every((line) => line.length <= 120));
  t.match(await alice.ask('verify', '@bobby', '--confirm'), [{ type: 'safety', verified: true, again: 0 }]);
  t.match(await alice.ask('contacts'), [{ name: 'bobby', verified: true, changed: false }]);
  t.match((await alice.run('contacts')).out, /verified/);

  await first.stop();
  const kept = await alice.run('--json', 'send', '@bobby', 'kept, and sealed for the former');
  t.equal(kept.code, 3);
  t.equal((await cadenasd('delete', '@bobby', '--yes', '--network', 'test', '--data', first.data)).code, 0);
  const second = await startDaemon(t, { network, data: first.data, port: first.port });
  const follower = alice.follow('receive', '--follow');
  const other = await newUser(t, second, 'bobby');
  await other.ask('add', '@alice');

  await follower.next('notice', { kind: 'changed' });
  const refused = await alice.run('send', '@bobby', 'for whom?');
  t.equal(refused.code, 4);
  t.match(refused.err, /^cadenas: the keys of @bobby changed: [^\n]* verify @bobby\n$/);
  t.equal((await alice.run('verify', '@bobby', '--confirm')).code, 4, 'not before they were shown');
  const [changed] = await alice.ask('verify', '@bobby');
  t.match(changed, { changed: true, verified: false, former: ours?.['fingerprint'] });
  t.match((await alice.run('verify', '@bobby')).out, /^WARNING: other keys came for @bobby/);
  t.match(await alice.ask('verify', '@bobby', '--confirm'), [{ verified: true, changed: false, again: 1 }]);
  t.match(await follower.next('notice', { kind: 'send-again' }), { name: 'bobby', detail: '1' });
  t.equal((await alice.run('send', '@bobby', 'to the new one')).code, 0);
  const received = await other.ask('receive');
  t.same(
    received.map((line) => line['kind'] ?? line['text']),
    ['accepted', 'to the new one'],
  );
  t.equal((await other.ask('verify', '@alice'))[0]?.['number'], changed?.['number']);
});
