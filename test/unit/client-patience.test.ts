/** Questions that the daemon limits. */
import { test } from 'tap';
import { Code } from '../../protocol/index.js';
import type { Reply } from '../../src/client/answers.js';
import { limitedFor } from '../../src/client/errors.js';
import { Patience } from '../../src/client/patience.js';

const answer = (code: Code, wait = 0): Reply => ({ code, wait }) as Reply;

test('one that is limited is asked again when its time has come, and given up where that takes too long', async (t) => {
  const patience = new Patience();
  const pauses: number[] = [];
  const pause = (ms: number): Promise<void> => {
    pauses.push(ms);
    return Promise.resolve();
  };
  const told: number[] = [];
  const run = (most: number, ...answers: Reply[]): Promise<Reply> => {
    const ask = (): Promise<Reply> => Promise.resolve(answers.shift() ?? answer(Code.done));
    return patience.ask({ ask, pause, most, waits: (seconds) => told.push(seconds) });
  };
  t.equal((await run(5000, answer(Code.limited, 2), answer(Code.limited, 3))).code, Code.done);
  t.same(
    [pauses, told],
    [
      [2000, 3000],
      [2, 3],
    ],
  );
  t.equal((await run(5000, answer(Code.limited, 2), answer(Code.limited, 4))).wait, 4, 'six seconds are too many');
  t.equal((await run(5000, answer(Code.limited))).code, Code.limited, 'no time: no question of speed');
  t.equal((await run(5000, answer(Code.unavailable, 1))).code, Code.unavailable);
  t.equal(pauses.length, 3);
});

test('so many at once, in their order; a failure gives its place to the next', async (t) => {
  const patience = new Patience();
  const begun: number[] = [];
  const ends: ((fails: boolean) => void)[] = [];
  const asks = Array.from({ length: 100 }, (_, n) => {
    const ask = (): Promise<Reply> => {
      begun.push(n);
      return new Promise((resolve, reject) =>
        ends.push((fails) => {
          if (fails) reject(new Error('ended'));
          else resolve(answer(Code.done));
        }),
      );
    };
    return patience.ask({ ask, pause: () => Promise.resolve(), most: 0 });
  });
  const ended = Promise.allSettled(asks);
  await new Promise(setImmediate);
  t.equal(begun.length, 64);
  for (let n = 0; n < 100; n++) {
    ends[n]?.(n % 2 === 0);
    await new Promise(setImmediate);
  }
  t.same(
    begun,
    begun.map((_, n) => n),
  );
  t.equal((await ended).filter(({ status }) => status === 'rejected').length, 50);
});

test('what the daemon asks for is never longer than a timer lasts', (t) => {
  t.equal(limitedFor(30).wait, 30_000);
  const { wait } = limitedFor(0xffff_ffff);
  t.ok(wait > 0 && wait < 2 ** 31, String(wait));
  t.end();
});
