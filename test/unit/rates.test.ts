/** What one user or one address may do in a time, and how long it is shut out. */
import { test } from 'tap';
import { PARTS_MAX, ROOM_MEMBERS } from '../../protocol/index.js';
import { BackOff } from '../../src/server/back-off.js';
import { defaultLimits } from '../../src/server/limits.js';
import { PerKey } from '../../src/server/per-key.js';
import { Rates } from '../../src/server/rates.js';
import { TokenBucket } from '../../src/server/token-bucket.js';

const MINUTE = 60_000;

test('so many at once, then so many in a second', (t) => {
  const bucket = new TokenBucket(20, 5, 0);
  const takes = (now: number, count: number): number[] => Array.from({ length: count }, () => bucket.take(now));
  t.same(takes(0, 7), [0, 0, 0, 0, 0, 1, 1]);
  t.same(takes(3_600_000, 6), [0, 0, 0, 0, 0, 1], 'a pause saves no more than the burst');
  const slow = new TokenBucket(0.1, 1, 0);
  t.same([slow.take(0), slow.take(0), slow.take(5000), slow.take(10_001)], [0, 10, 5, 0], 'the wait is told');
  t.end();
});

test('who was told to wait gets nothing before: nothing overtakes what was refused', (t) => {
  const bucket = new TokenBucket(20, 5, 0);
  for (let n = 0; n < 5; n++) bucket.take(0);
  t.equal(bucket.take(0), 1);
  t.same([bucket.take(100), bucket.take(999)], [1, 1], 'though there is something again');
  t.notOk(bucket.isFull(999), 'nor is a new one put in its place');
  t.equal(bucket.take(1000), 0);
  t.end();
});

test('each has a bucket of their own, which is forgotten when it is full', (t) => {
  const buckets = new PerKey((now) => new TokenBucket(1, 2, now));
  const take = (key: string, now: number): number => buckets.get(key, now).take(now);
  t.same([take('a', 0), take('a', 0), take('a', 0), take('b', 0)], [0, 0, 1, 0]);
  t.equal(take('a', 500), 1);
  for (let n = 0; n < 10; n++) take(String(n), 600);
  t.equal(take('a', 600), 1, 'nobody’s others make it new');
  t.equal(buckets.size, 12);
  for (let n = 10; n < 30; n++) take(String(n), 10_000);
  t.equal(buckets.size, 32, 'not soon: whoever speaks now and then keeps theirs');
  for (let n = 30; n < 70; n++) take(String(n), 100_000);
  t.equal(buckets.size, 40);
  t.end();
});

test('messages are limited by user, and ten times as many by source; other commands apart', (t) => {
  const rates = new Rates({ ...defaultLimits, 'messages-per-second': 1, 'message-burst': 4, 'command-burst': 3 });
  const user = (n: number) => ({ uidKey: `user ${String(n)}`, source: '127.0.0.2' });
  const says = (n: number): number[] => Array.from({ length: 5 }, () => rates.take('message', user(n)));
  for (let n = 0; n < 10; n++) t.same(says(n), [0, 0, 0, 0, 1], `user ${String(n)}`);
  t.same(says(10), [1, 1, 1, 1, 1], 'one more from there says nothing');
  t.equal(rates.take('message', { uidKey: 'user 11', source: '127.0.0.3' }), 0, 'from elsewhere');
  t.same(
    Array.from({ length: 4 }, () => rates.take('command', user(0))),
    [0, 0, 0, 1],
  );
  t.equal(rates.take('free', user(0)), 0, 'acknowledgements never wait');
  t.end();
});

test('a look at a full room, and entering it, stay within what may be asked at once', (t) => {
  t.ok(3 * ROOM_MEMBERS < defaultLimits['command-burst']);
  t.ok(PARTS_MAX < defaultLimits['message-burst'], 'and so does the longest text');
  t.end();
});

test('a source that fails too often is shut out for 1, 2, 4 … minutes, up to an hour, and forgotten after a quiet one', (t) => {
  const backOff = new BackOff(60, 0);
  for (let n = 0; n < 60; n++) backOff.fail(0);
  t.equal(backOff.wait(0), 0, 'so many are free');
  let now = 0;
  for (const minutes of [1, 2, 4, 8, 16, 32, 60, 60]) {
    for (let n = 0; n < 70 && backOff.wait(now) === 0; n++) backOff.fail(now);
    t.equal(backOff.wait(now), 60 * minutes);
    backOff.fail(now);
    t.equal(backOff.wait(now), 60 * minutes, 'what was under way adds nothing');
    t.equal(backOff.wait(now + 30_000), 60 * minutes - 30);
    now += minutes * MINUTE;
    t.equal(backOff.wait(now), 0, 'then it may try again');
    t.notOk(backOff.isFull(now), 'and is not forgotten');
  }
  now += 61 * MINUTE;
  t.ok(backOff.isFull(now), 'forgotten');
  for (let n = 0; n < 61; n++) backOff.fail(now);
  t.equal(backOff.wait(now), 60, 'it begins anew');
  t.end();
});
