/** What a daemon's threads give way to: who is connected is served before who connects. */
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, getPriority } from 'node:os';
import { test } from 'tap';
import { makeNetwork, startDaemon } from '../support/daemon.js';
import { nicenessesIn } from '../support/niceness.js';
import { newPerson } from '../support/people.js';

const skip = process.platform === 'linux' ? false : 'threads have no priority of their own';

test('workers come behind the loop', { skip }, async (t) => {
  const daemon = await startDaemon(t, { network: await makeNetwork() });
  await newPerson(t, daemon, 'alice'); // they are all there by then
  const folder = `/proc/${String(daemon.pid)}/task`;
  const stats = readdirSync(folder).map((thread) => readFileSync(`${folder}/${thread}/stat`, 'utf8'));
  const found = nicenessesIn(stats.join(''));
  t.equal(found.length, stats.length);
  const own = getPriority(0);
  const lower = found.filter((each) => each !== own);
  t.same(lower, Array<number>(Math.max(1, availableParallelism() - 1)).fill(Math.min(own + 4, 19)));
  t.same(nicenessesIn(readFileSync(`${folder}/${String(daemon.pid)}/stat`, 'utf8')), [own], 'not the loop');
});
