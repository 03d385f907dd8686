/** The measure of the service, small: its parts fit each other, and nobody is refused or cut off. */
import { test } from 'tap';
import { service } from '../bench/service/service.js';
import { makeNetwork } from '../support/daemon.js';

test('idle connections, logins and messages together', async (t) => {
  const plan = { connections: 12, loggedIn: 8, logins: 5, users: 5, messages: 4, seconds: 3 };
  const rows = await service(t, await makeNetwork(), true, plan);
  const figures = Object.assign({}, ...rows.map((row) => row.figures)) as Record<string, number>;
  const { asked, succeeded, refused, disconnects } = figures;
  t.same({ asked, succeeded, refused, disconnects }, { asked: 15, succeeded: 15, refused: 0, disconnects: 0 });
  t.equal(figures['refused by the daemon'], 0);
  t.equal((figures['delivered'] ?? 0) + (figures['queued instead'] ?? 0) >= 2, true, 'one of each pair at the least');
  for (const name of ['resident MB first', 'most', 'cores busy', 'heap MB first', 'external MB last', 'p50 ms'])
    t.ok((figures[name] ?? 0) > 0, name);
});
