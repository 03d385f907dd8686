import { test } from 'tap';
import { Ordered } from '../../src/store/journal/ordered.js';
import { Pool, type Part } from '../../src/store/journal/pool.js';

class Probe implements Part {
  bytes = 1;
}

test('parts load once, and the longest unused go first', async (t) => {
  const pool = new Pool<Probe>({ parts: 2, bytes: 100 });
  const opened: string[] = [];
  const use = (key: string): Promise<Probe> =>
    pool.use(
      key,
      async () => {
        opened.push(key);
        return new Probe();
      },
      async (part) => part,
    );
  const [a, same] = await Promise.all([use('a'), use('a')]);
  t.equal(a, same);
  const b = await use('b');
  await use('a');
  await use('c');
  t.equal(pool.size, 2);
  t.equal(await use('a'), a);
  t.not(await use('b'), b);
  t.same(opened, ['a', 'b', 'c', 'b']);
});

test('a part in use stays, a big one makes others go', async (t) => {
  const pool = new Pool<Probe>({ parts: 10, bytes: 10 });
  const opened: string[] = [];
  const open = (key: string) => async (): Promise<Probe> => {
    opened.push(key);
    return new Probe();
  };
  await pool.use('0', open('0'), async () => undefined);
  let release = (): void => undefined;
  const busy = pool.use('1', open('1'), () => new Promise<void>((resolve) => (release = resolve)));
  await pool.use('2', open('2'), async (part) => void (part.bytes = 50));
  t.equal(pool.size, 1, 'the big one went too, when it was idle');
  await pool.use('1', open('1'), async () => undefined);
  release();
  await busy;
  t.same(opened, ['0', '1', '2'], 'the one in use was not opened again');
});

test('what does not open is tried again by the next call', async (t) => {
  const pool = new Pool<Probe>({ parts: 2, bytes: 100 });
  const bad = async (): Promise<Probe> => {
    throw new Error('no');
  };
  await t.rejects(
    pool.use('a', bad, async () => undefined),
    /no/,
  );
  t.equal(pool.size, 0);
  t.equal(
    await pool.use(
      'a',
      async () => new Probe(),
      async () => 'used',
    ),
    'used',
  );
});

test('calls for one key work in their order, while it opens and after', async (t) => {
  const pool = new Pool<Probe>({ parts: 2, bytes: 100 });
  const order: number[] = [];
  const call = (n: number): Promise<unknown> =>
    pool.use(
      'a',
      () => new Promise<Probe>((resolve) => setImmediate(resolve, new Probe())),
      async () => order.push(n),
    );
  const calls = [call(0), call(1)];
  await new Promise((resolve) => setImmediate(resolve));
  calls.push(call(2), call(3));
  await Promise.all(calls);
  t.same(order, [0, 1, 2, 3]);
});

test('what is taken out can be put back in its place', async (t) => {
  const ordered = new Ordered<number>();
  for (let n = 0; n < 6; n++) ordered.add(`k${n}`, n);
  const removed = [ordered.remove('k4'), ordered.remove('k0'), ordered.remove('k2')];
  t.equal(ordered.remove('k2'), undefined);
  ordered.add('k6', 6);
  t.same(ordered.values(), [1, 3, 5, 6]);
  ordered.restore(removed.flatMap((item) => item ?? []));
  t.same(ordered.values(), [0, 1, 2, 3, 4, 5, 6]);
  t.same(
    ordered.page(ordered.place('k2') ?? NaN, 2).map(({ value }) => value),
    [3, 4],
  );
  t.same(
    ordered.page(-1, 1).map(({ value }) => value),
    [0],
  );
  t.equal(ordered.place('none'), undefined);
  t.equal(ordered.first()?.value, 0);
});
