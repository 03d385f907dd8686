/** `cadenasd health`, `limits`, `drain`, `reload` and `debug`: of a daemon that runs. */
import { ControlError } from '../../ops/control-client.js';
import type { DrainRow, Health, LimitRow } from '../control/types.js';
import { withDaemon, type Asked } from './ask.js';
import { count, Exit, Mistake, number, Speech, type ExitCode } from './common.js';

export function showHealth(where: Asked): Promise<ExitCode> {
  const speech = new Speech(where);
  return withDaemon(where, async (daemon) => {
    const health = await daemon.ask<Health>('health');
    const { healthy, state, disk } = health;
    speech.say('health', { ...health }, healthy ? 'healthy' : `not healthy: ${disk === 'ok' ? state : `disk ${disk}`}`);
    return healthy ? Exit.done : Exit.mistake;
  });
}

/** @param assignment NAME=NUMBER, or nothing */
export function runLimits(where: Asked, assignment: string): Promise<ExitCode> {
  return assignment === '' ? listLimits(where) : setLimit(where, assignment);
}

function listLimits(where: Asked): Promise<ExitCode> {
  const speech = new Speech(where);
  return withDaemon(where, async (daemon) => {
    await daemon.ask('limits', {}, (row: LimitRow) => {
      const other = row.value === row.default ? '' : `  (default ${number(row.default)})`;
      speech.say(
        'limit',
        { ...row },
        `${row.name.padEnd(25)} ${number(row.value).padStart(11)}${other}`,
        `  ${row.what}`,
      );
    });
    return Exit.done;
  });
}

function setLimit(where: Asked, assignment: string): Promise<ExitCode> {
  const [, name, digits] = /^([a-z-]{1,64})=([1-9]\d{0,8})$/.exec(assignment) ?? [];
  if (name === undefined)
    throw new Mistake(
      'this sets no limit — write NAME=NUMBER, a whole number of 1 or more; cadenasd limits shows all names',
    );
  const speech = new Speech(where);
  return withDaemon(where, async (daemon) => {
    const { before, value } = await daemon.ask<{ before: number; value: number }>('set-limit', {
      name,
      value: Number(digits),
    });
    speech.say(
      'limit',
      { name, before, value },
      `${name}: ${number(value)} from now on, ${number(before)} before`,
      'It holds until the daemon ends or reloads: what shall stay belongs into the configuration.',
    );
    return Exit.done;
  });
}

export interface DrainOptions {
  /** seconds */
  readonly within: number;
}

export function runDrain(where: Asked & DrainOptions): Promise<ExitCode> {
  const speech = new Speech(where);
  return withDaemon(where, async (daemon) => {
    let last = -1;
    const tell = ({ connections, left, stopping }: DrainRow): void => {
      if (connections === last && !stopping) return;
      last = connections;
      const line = stopping
        ? `stopping, ${count(connections, 'connection')} left`
        : `draining: ${count(connections, 'connection')} left, ${count(left, 'second')} at most`;
      speech.say('drain', { connections, left, stopping }, line);
    };
    try {
      await daemon.ask('drain', { within: where.within }, tell);
    } catch (error) {
      if (!(error instanceof ControlError) || error.code !== 'gone') throw error; // it has ended, as it was to
    }
    speech.say('result', { stopped: true }, 'stopped');
    return Exit.done;
  });
}

/** Names of settings, `table.key`. */
interface Reloaded {
  readonly changed: readonly string[];
  /** what waits for the next start */
  readonly later: readonly string[];
}

export function runReload(where: Asked): Promise<ExitCode> {
  const speech = new Speech(where);
  return withDaemon(where, async (daemon) => {
    const { changed, later } = await daemon.ask<Reloaded>('reload');
    const now = changed.length > 0 ? `changed: ${changed.join(', ')}` : 'no setting is another';
    const lines = later.length > 0 ? [`after a restart: ${later.join(', ')}`] : [];
    speech.say('reload', { changed, later }, `reloaded; ${now}`, ...lines);
    return Exit.done;
  });
}

export function runDebug(where: Asked, typed: string): Promise<ExitCode> {
  if (typed !== 'on' && typed !== 'off') throw new Mistake('debug is on or off — write one of them');
  const speech = new Speech(where);
  return withDaemon(where, async (daemon) => {
    await daemon.ask('debug', { on: typed === 'on' });
    speech.say(
      'debug',
      { debug: typed === 'on' },
      typed === 'on' ? 'debug is on, until the daemon ends or reloads' : 'debug is off',
    );
    return Exit.done;
  });
}
