/** Limits of a daemon that runs. */
import { test } from 'tap';
import { Budgets } from '../../src/server/budgets.js';
import { defaultLimits, type LimitName } from '../../src/server/limits.js';
import { LiveLimits } from '../../src/server/live-limits.js';
import { Rates } from '../../src/server/rates.js';

const one = { uidKey: 'somebody', source: '127.0.0.2' };

test('what is set counts at once: where it is looked up, in budgets, in rates and in the store', async (t) => {
  const start = { ...defaultLimits, 'lookups-per-minute': 1, 'command-burst': 1, 'commands-per-second': 1 };
  const limits = new LiveLimits(start);
  const [budgets, rates] = [new Budgets(start), new Rates(start)];
  const kept: unknown[] = [];
  const holders = { store: { setLimits: (some: object) => kept.push(some) }, budgets, rates };
  const set = (name: LimitName, value: number): boolean => limits.set(name, value, holders);

  t.same([await budgets.take('lookups', 'a'), rates.take('command', one)], [0, 0]);
  t.ok((await budgets.take('lookups', 'a')) > 0);
  t.ok(rates.take('command', one) > 0);

  t.ok(set('lookups-per-minute', 3));
  t.equal(await budgets.take('lookups', 'a'), 0);
  t.ok((await budgets.take('lookups', 'a')) > 0, 'what was taken stays taken');
  t.ok(set('command-burst', 2));
  t.same([rates.take('command', one), rates.take('command', one)], [0, 0]);
  t.ok(rates.take('command', one) > 0);
  t.ok(set('flights', 7));
  t.equal(limits.now.flights, 7);
  t.ok(set('queue-entries', 5));
  t.match(kept.at(-1), { maxQueueEntries: 5 });
  t.equal(start.flights, defaultLimits.flights, 'whoever gave them keeps their own');
  limits.become({ ...start, window: 9, rooms: 3 }, holders);
  t.match(kept.at(-1), { maxQueueEntries: start['queue-entries'], maxRooms: 3 }, 'all at once');
  t.equal(limits.now.window, start.window, 'but what clients were told');
});

test('what clients were told at their handshake, and what no limit can be', (t) => {
  const limits = new LiveLimits(defaultLimits);
  const nothing = { setLimits: () => t.fail(), become: () => t.fail() };
  const set = (name: LimitName, value: number) =>
    limits.set(name, value, { store: nothing, budgets: nothing, rates: nothing });
  t.notOk(set('window', 5));
  t.equal(limits.now.window, defaultLimits.window);
  t.ok(set('window', defaultLimits.window), 'it is so already');
  for (const value of [0, -1, 1.5, NaN, 1e12])
    t.throws(() => set('flights', value), /^limit flights — write flights=NUMBER/);
  t.end();
});
