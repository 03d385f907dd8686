/** What a daemon holds and does over a time: looked at in steps, and whether it is flat as a figure. */
import { readFile } from 'node:fs/promises';
import { cpuOf, memoryOf } from '../../support/daemon.js';
import { percentile, round, say, sorted } from '../row.js';
import type { Probed } from './probe.js';

export interface Look {
  /** s from the beginning */
  readonly at: number;
  /** bytes, resident */
  readonly memory: number;
  /** µs of all threads, so far */
  readonly cpu: number;
}

/** Share of the time, and seconds at most, in which a daemon gets warm: what it takes then is no slope. */
const WARM = { share: 0.2, seconds: 60 };
const MB = 2 ** 20;

interface Point {
  readonly at: number;
  readonly value: number;
}

/** By what the line rises for each unit of `at` that lies nearest to all, by least squares; 0 of less than two points. */
export function slope(points: readonly Point[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [at, value] = [mean(points.map((point) => point.at)), mean(points.map((point) => point.value))];
  const square = points.reduce((sum, point) => sum + (point.at - at) ** 2, 0);
  const product = points.reduce((sum, point) => sum + (point.at - at) * (point.value - value), 0);
  return square > 0 ? product / square : 0;
}

/**
 * The same, where half of all pairs of points rise by more and half by less: what comes and goes, as the thread of a
 * checkpoint does, counts for nothing.
 */
export function middleSlope(points: readonly Point[]): number {
  const slopes = points.flatMap((one, n) =>
    points.slice(n + 1).map((other) => (other.value - one.value) / (other.at - one.at)),
  );
  return percentile(sorted(slopes), 0.5);
}

/** Looks now, every `everyMs`, and when it is stopped. */
export class Watch {
  readonly looks: Look[] = [];
  readonly #pid: number;
  readonly #began = performance.now();
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void>;

  constructor(pid: number, everyMs: number) {
    this.#pid = pid;
    this.#looking = this.#look();
    this.#timer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.#look());
    }, everyMs);
  }

  async #look(): Promise<void> {
    const at = (performance.now() - this.#began) / 1000;
    const [memory, cpu] = [await memoryOf(this.#pid), await cpuOf(this.#pid)];
    this.looks.push({ at, memory, cpu });
    say(
      `  ${at.toFixed(0).padStart(4)} s  ${(memory / MB).toFixed(1)} MB resident  ${(cpu / 1e6).toFixed(1)} s of CPU`,
    );
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    await this.#look();
  }
}

/** The daemon's figures, as a row has them. */
export function figuresOf(looks: readonly Look[]): Record<string, number> {
  const [first, last] = [looks[0], looks.at(-1)];
  if (!first || !last) throw new Error('watch: nothing was looked at');
  const warm = Math.min(WARM.share * last.at, WARM.seconds);
  const points = looks.filter(({ at }) => at >= warm).map(({ at, memory }) => ({ at: at / 60, value: memory / 1024 }));
  return {
    'resident MB first': round(first.memory / MB),
    last: round(last.memory / MB),
    most: round(Math.max(...looks.map(({ memory }) => memory)) / MB),
    'KB/min when warm': round(slope(points)),
    'in the middle': round(middleSlope(points)),
    'cores busy': round((last.cpu - first.cpu) / 1e6 / (last.at - first.at), 2),
  };
}

/** What the probe wrote: heap and external memory, first and last, and the heap's least and its rise. */
export async function heapOf(file: string, from: number): Promise<Record<string, number>> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  const looks = lines.map((line) => JSON.parse(line) as Probed).filter(({ at }) => at >= from);
  const [first, last] = [looks[0], looks.at(-1)];
  if (!first || !last) throw new Error('watch: the probe wrote nothing');
  const warm = first.at + Math.min(WARM.share * (last.at - first.at), 1000 * WARM.seconds);
  const points = looks
    .filter(({ at }) => at >= warm)
    .map(({ at, heapUsed }) => ({ at: at / 60_000, value: heapUsed / 1024 }));
  return {
    'heap MB first': round(first.heapUsed / MB),
    last: round(last.heapUsed / MB),
    'KB/min when warm': round(slope(points)),
    'external MB first': round(first.external / MB),
    'external MB last': round(last.external / MB),
  };
}
