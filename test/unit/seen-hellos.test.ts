/** How long the daemon remembers the HELLOs that it saw, and how many it holds. */
import { randomBytes } from 'node:crypto';
import { test } from 'tap';
import { HELLO_WINDOW_MS } from '../../protocol/index.js';
import { SeenHellos } from '../../src/server/gate.js';

const SECOND = 1_000;

test('no more are held than came in the time in which they count', (t) => {
  const seen = new SeenHellos([], 0);
  let most = 0;
  for (let now = 0; now < 20 * 60 * SECOND; now += SECOND) {
    if (!seen.add(randomBytes(32), now, now)) t.fail('a new one is new');
    most = Math.max(most, seen.size);
  }
  t.ok(most <= (2 * HELLO_WINDOW_MS) / SECOND + 2, String(most));
  t.end();
});

test('a clock that is ahead holds up for its own time alone what came after it', (t) => {
  const seen = new SeenHellos([], 0);
  seen.add(randomBytes(32), HELLO_WINDOW_MS, 0);
  for (let now = 0; now < 20 * 60 * SECOND; now += SECOND) seen.add(randomBytes(32), now, now);
  t.ok(seen.size <= (2 * HELLO_WINDOW_MS) / SECOND + 2, String(seen.size));
  t.end();
});

test('one that may still be timely is known, whatever the clock that sent it', (t) => {
  for (const skew of [-HELLO_WINDOW_MS, 0, HELLO_WINDOW_MS]) {
    const seen = new SeenHellos([], 0);
    const random = randomBytes(32);
    const came = 1e6;
    t.ok(seen.add(random, came + skew, came));
    const last = came + skew + HELLO_WINDOW_MS;
    for (let now = came; now < last; now += SECOND) seen.add(randomBytes(32), now, now);
    t.notOk(seen.add(random, came + skew, last), `${String(skew)} ms`);
  }
  t.end();
});
