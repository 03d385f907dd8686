/** `cadenasd status --watch`: a live screen on a terminal, a block of lines each time elsewhere. */
import { setTimeout as delay } from 'node:timers/promises';
import { ControlError } from '../../ops/control-client.js';
import { plainLine } from '../../plain/plain.js';
import type { Status } from '../control/types.js';
import { Daemon, noDaemon, type Asked } from './ask.js';
import { Exit, Mistake, number, Speech, type ExitCode } from './common.js';
import { bytes, lasting, millis, readStatus, statusLines } from './figures.js';
import { plot } from './plots.js';
import { Screen, type Line } from './terminal.js';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What a look gave: how the daemon is, or why nobody knows. */
type Look = { readonly status: Status } | { readonly gone: string };

/** Asks again and again, also where the daemon ends and comes back. */
class Looking {
  readonly #where: Asked;
  #daemon: Daemon | undefined;

  constructor(where: Asked) {
    this.#where = where;
  }

  async look(): Promise<Look> {
    try {
      this.#daemon ??= await Daemon.find(this.#where);
      if (!this.#daemon) return { gone: noDaemon(this.#where).message };
      return { status: readStatus(await this.#daemon.ask('status')) };
    } catch (error) {
      this.close();
      if (error instanceof ControlError && error.code === 'gone') return { gone: 'the daemon has ended' };
      if (error instanceof ControlError || error instanceof Mistake) return { gone: error.message };
      throw error;
    }
  }

  close(): void {
    this.#daemon?.close();
    this.#daemon = undefined;
  }
}

/** @param seconds from one look to the next */
export async function watch(where: Asked, seconds: number): Promise<ExitCode> {
  if (seconds < 1) throw new Mistake('--watch can’t look so often — write seconds, 1 at least');
  const looking = new Looking(where);
  const over = new AbortController();
  over.signal.addEventListener('abort', () => {
    looking.close(); // a daemon that is silent holds nobody up
  });
  const end = (): void => {
    over.abort();
  };
  for (const signal of signals) process.on(signal, end);
  const isScreen = process.stdout.isTTY && process.env['TERM'] !== 'dumb' && !where.json;
  try {
    if (isScreen) await onScreen(looking, seconds, over);
    else await inBlocks(looking, where, seconds, over);
    return Exit.done;
  } finally {
    for (const signal of signals) process.off(signal, end);
    looking.close();
  }
}

async function onScreen(looking: Looking, seconds: number, over: AbortController): Promise<void> {
  const isPlain = (process.env['NO_COLOR'] ?? '') !== '';
  const screen = new Screen({ input: process.stdin, output: process.stdout, isPlain }, () => {
    over.abort();
  });
  let last: Status | undefined;
  try {
    for (;;) {
      const look = await looking.look();
      if (over.signal.aborted) return;
      if ('status' in look) last = look.status;
      const shown = last;
      screen.show((columns) => [...linesOf(look, shown, columns), { text: '', tone: 'plain' }, foot(seconds)]);
      await pause(seconds, over.signal);
    }
  } finally {
    screen.close();
  }
}

async function pause(seconds: number, over: AbortSignal): Promise<void> {
  await delay(1000 * seconds, undefined, { signal: over }).catch((error: unknown) => {
    if (!over.aborted) throw error;
  });
}

function foot(seconds: number): Line {
  return { text: `q ends · every ${lasting(1000 * seconds)}`, tone: 'faint' };
}

/** @param last what was known before the daemon went */
function linesOf(look: Look, last: Status | undefined, columns: number): readonly Line[] {
  const gone: Line[] = 'gone' in look ? [{ text: `${look.gone}; trying again`, tone: 'alarm' }] : [];
  if (!last) return gone;
  const [head = '', ...rest] = statusLines(last).map(plainLine);
  return [
    ...gone,
    { text: head, tone: 'gone' in look ? 'faint' : 'strong' },
    ...rest.map((text): Line => ({ text, tone: 'gone' in look ? 'faint' : 'plain' })),
    { text: '', tone: 'plain' },
    ...plots(last, columns),
  ];
}

const NAME = 12;
const NOW = 10;
const MOST = 16;

function plots({ history }: Status, columns: number): Line[] {
  const width = Math.max(10, columns - NAME - NOW - MOST - 3);
  const perSecond = (value: number): string => `${value.toFixed(1)}/s`;
  const all = [
    ['messages', history.messages, perSecond],
    ['logins', history.logins, perSecond],
    ['connections', history.connections, number],
    ['memory', history.memory, bytes],
    ['loop lag', history.lag, millis],
  ] as const;
  const covered = lasting(history.every * history.messages.length);
  return [
    { text: `the last ${covered}`, tone: 'faint' },
    ...all.map(([name, values, say]): Line => {
      const most = `${say(Math.max(0, ...values))} most`;
      const text = `${name.padEnd(NAME)}${say(values.at(-1) ?? 0).padStart(NOW)} ${plot(values, width)}  ${most}`;
      return { text, tone: 'plot' };
    }),
  ];
}

/** For pipes and files: goes on until a signal, or until nobody reads any more. */
async function inBlocks(looking: Looking, where: Asked, seconds: number, over: AbortController): Promise<void> {
  const speech = new Speech(where);
  process.stdout.once('error', () => {
    over.abort(); // which one it was is told at the end
  });
  for (;;) {
    const look = await looking.look();
    if (over.signal.aborted) return;
    if ('status' in look) speech.say('status', { ...look.status }, ...statusLines(look.status), '');
    else speech.say('gone', { why: look.gone }, `${look.gone}; trying again`, '');
    await pause(seconds, over.signal);
  }
}
