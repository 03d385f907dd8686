/** What the measure of the service reckons by itself: a rise, the daemon's refusals, and how much of everything there is. */
import { test } from 'tap';
import { addressOf } from '../bench/service/people.js';
import { linksIn, planIn } from '../bench/service/plan.js';
import { refusalsIn } from '../bench/service/service.js';
import { figuresOf, middleSlope, slope } from '../bench/service/watch.js';

test('a rise is that of the line that lies nearest to all points', (t) => {
  const at = (...values: number[]) => values.map((value, n) => ({ at: n, value }));
  t.equal(slope(at(5, 7, 9)), 2);
  t.equal(slope(at(3, 3, 3, 3)), 0);
  t.equal(slope(at(0, 3, 0, 3)), 0.6, 'and not from the first to the last');
  t.equal(slope(at(4)), 0);
  t.equal(slope([]), 0);
  t.equal(middleSlope(at(5, 7, 9)), 2);
  t.equal(middleSlope(at(1, 1, 1, 1, 50, 1)), 0, 'what comes and goes is none');
  t.equal(middleSlope(at(4)), 0);
  t.end();
});

test('what a daemon takes while it gets warm is no rise', (t) => {
  const MB = 2 ** 20;
  const resident = { 0: 60, 40: 90, 70: 100, 130: 101, 190: 102, 250: 103 };
  const looks = Object.entries(resident).map(([at, mb]) => ({
    at: Number(at),
    memory: mb * MB,
    cpu: 0.5e6 * Number(at),
  }));
  const figures = figuresOf(looks);
  t.same(figures, {
    'resident MB first': 60,
    last: 103,
    most: 103,
    'KB/min when warm': 1024,
    'in the middle': 1024,
    'cores busy': 0.5,
  });
  t.throws(() => figuresOf([]), /nothing was looked at/);
  t.end();
});

test('the daemon’s refusals are read from its last words', (t) => {
  const text = [
    '2026-01-01T00:00:00.000Z WARN refused reason="too many" source=127.1.0.1 total=1',
    '2026-01-01T00:00:01.000Z INFO stopping signal=SIGTERM',
    '2026-01-01T00:00:02.000Z INFO stopped hello stalled=3 too many=12 tls=1',
    '',
  ].join('\n');
  t.same(refusalsIn(text), { 'hello stalled': 3, 'too many': 12, tls: 1 });
  t.same(refusalsIn('2026-01-01T00:00:02.000Z INFO stopped\n'), {});
  t.throws(() => refusalsIn('2026-01-01T00:00:01.000Z INFO stopping signal=SIGTERM\n'), /no totals/);
  t.end();
});

test('the plan is the environment’s', (t) => {
  const full = { connections: 5000, loggedIn: 5000, logins: 100, users: 500, messages: 200, seconds: 300 };
  t.same(planIn({}, true), full);
  t.same(planIn({ SERVICE_LOGGED_IN: '20000', SERVICE_LOGINS: '10' }, true), { ...full, logins: 10, users: 50 });
  t.same(planIn({ SERVICE_LOGGED_IN: '0' }, true), { ...full, loggedIn: 0 });
  t.throws(() => planIn({ SERVICE_SECONDS: 'five minutes' }, true), /SERVICE_SECONDS/);
  t.throws(() => planIn({ SERVICE_SECONDS: '0' }, true), /from 1 to/);
  t.same(linksIn({}), [true, false]);
  t.same(linksIn({ SERVICE_LINKS: 'tcp' }), [false]);
  t.throws(() => linksIn({ SERVICE_LINKS: 'udp' }), /SERVICE_LINKS/);
  t.end();
});

test('everybody has an address of their own, of this machine', (t) => {
  const addresses = [0, 1, 255, 256, 65_535, 65_536].map(addressOf);
  t.same(addresses, ['127.1.0.0', '127.1.0.1', '127.1.0.255', '127.1.1.0', '127.1.255.255', '127.2.0.0']);
  t.end();
});
