/**
 * Fuzzing that can be had again: case n of a run draws everything from the seed of the run plus n. CASES=n runs n
 * cases of each property of a file, SEED=s begins with that seed; a failure names the command that replays it alone.
 */
import { basename } from 'node:path';
import { t as file, test } from 'tap';
import { Draws } from './draws.js';
import { newSeed } from './random.js';
import type { Teardown } from './temp.js';

/** One case: throws where the property does not hold. */
export type Case = (draws: Draws) => void | Promise<void>;

/** Cases that need something started first, and may wait side by side. */
export interface Prepared {
  readonly prepare: (t: Teardown) => Promise<Case>;
  /** so many at once */
  readonly width: number;
}

/** The property does not hold. Anything else that a case throws is a failure as well, but not what a planted bug is to cause. */
export class Wrong extends Error {
  override readonly name = 'Wrong';
}

/** @throws Wrong where it is not so */
export function must(holds: boolean, what: string | (() => string)): asserts holds {
  if (!holds) throw new Wrong(typeof what === 'string' ? what : what());
}

/** What the work gives. @throws Wrong where it throws */
export function sound<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Wrong) throw error;
    throw new Wrong(`${what} throws: ${String(error)}`);
  }
}

/** So many failures of a property are enough. */
const MOST_FAILURES = 5;
const SEEDS = 2 ** 32;

interface Failure {
  readonly seed: number;
  readonly at: number;
  readonly error: unknown;
}

async function run(first: number, count: number, most: number, of: Case | Prepared, t: Teardown): Promise<Failure[]> {
  const [one, width] = typeof of === 'function' ? [of, 1] : [await of.prepare(t), of.width];
  const failures: Failure[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count && failures.length < most) {
      const at = next++;
      const seed = (first + at) % SEEDS;
      try {
        const running = one(new Draws(seed));
        if (running) await running;
      } catch (error) {
        failures.push({ seed, at, error });
      }
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return failures.sort((a, b) => a.at - b.at);
}

/** @param cases of a normal run */
export function fuzz(name: string, cases: number, of: Case | Prepared): void {
  const count = Number(process.env['CASES'] ?? cases);
  const first = newSeed() % SEEDS;
  const path = `dist/test/fuzz/${basename(process.argv[1] ?? '')}`;
  test(`${name}: ${String(count)} cases from SEED=${String(first)} on`, async (t) => {
    if (count > cases) for (const each of [t, file]) each.setTimeout(0); // as long as it takes
    const failures = await run(first, count, MOST_FAILURES, of, t);
    for (const { seed, at, error } of failures) {
      const why = error instanceof Wrong ? error.message : error instanceof Error ? error.stack : String(error);
      t.comment(`case ${String(at)}: SEED=${String(seed)} CASES=1 node ${path}\n${String(why)}`);
    }
    t.same(
      failures.map(({ seed }) => seed),
      [],
      'the property holds',
    );
  });
}

/** A fuzzer that finds nothing may be blind: this one has to see a bug that was planted. Always the same cases. */
export function findsBug(name: string, within: number, of: Case | Prepared): void {
  test(`planted: ${name}`, async (t) => {
    const [found] = await run(1, within, 1, of, t);
    const { error } = found ?? { error: new Error(`not found in ${String(within)} cases`) };
    if (!(error instanceof Wrong)) throw error;
    t.pass(`found in case ${String(found?.at)}: ${error.message}`);
  });
}
