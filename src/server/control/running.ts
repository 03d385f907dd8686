/** Of the daemon itself: limits, invitations, reload, debug, drain. */
import { setTimeout as delay } from 'node:timers/promises';
import { typedCode } from '../../../protocol/index.js';
import { limitTable, type LimitName } from '../limits.js';
import { isLimit } from '../live-limits.js';
import { nearest } from '../../settings/index.js';
import type { Command } from './host.js';
import { ControlRefusal } from './refusal.js';
import {
  INVITATION_DAYS_MAX,
  INVITATIONS_MAX,
  WAIT_MAX_S,
  type DrainRow,
  type InvitationRow,
  type LimitRow,
} from './types.js';

const names = Object.keys(limitTable) as LimitName[];

export const limits: Command = async ({ server }, args, rows) => {
  args.end();
  const { limits: now } = server.context;
  for (const name of names) {
    const { value, what } = limitTable[name];
    const row: LimitRow = { name, value: now[name], default: value, what };
    await rows(row);
  }
  return { limits: names.length };
};

export const setLimit: Command = ({ server }, args) => {
  const name = args.text('name');
  const value = args.number('value', 1, 999_999_999);
  args.end();
  if (!isLimit(name)) {
    const near = nearest(name, names);
    throw new ControlRefusal(
      'unknown',
      `there is no such limit — ${near ? `did you mean ${near}?` : 'cadenasd limits shows all'}`,
    );
  }
  const before = server.context.limits[name];
  let counts: boolean;
  try {
    counts = server.setLimit(name, value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ControlRefusal('usage', error.message);
  }
  if (!counts)
    throw new ControlRefusal(
      'restart',
      `limit ${name} counts from a start on — put it into the configuration and restart`,
    );
  server.context.log.info('limit set by the operator', { limit: name, before, value });
  return Promise.resolve({ name, before, value });
};

const DAY_MS = 24 * 3600_000;

export const invite: Command = async ({ server: { context } }, args, rows) => {
  const count = args.number('count', 1, INVITATIONS_MAX);
  const expires = args.number('expires', 1, INVITATION_DAYS_MAX * DAY_MS);
  args.end();
  for (let n = 0; n < count; n++) {
    const { code, ends } = context.invitations.draw(context.now() + expires);
    const row: InvitationRow = { code: typedCode(code), ends };
    await rows(row);
  }
  return { registration: context.registration };
};

export const reload: Command = async ({ reload: again }, args) => {
  args.end();
  try {
    const { changed, atStart } = await again();
    return { changed, later: atStart };
  } catch (error) {
    throw new ControlRefusal('failed', error instanceof Error ? error.message : String(error));
  }
};

export const debug: Command = ({ setDebug }, args) => {
  const on = args.flag('on');
  args.end();
  setDebug(on);
  return Promise.resolve({ debug: on });
};

const PROGRESS_MS = 1_000;

/** Tells how many are left until the daemon is no more: the end of the process is the end of this. */
export const drain: Command = async ({ drain: draining, server }, args, rows) => {
  const within = args.number('within', 0, WAIT_MAX_S);
  args.end();
  server.context.log.info('draining', { connections: server.connections, seconds: within });
  draining.begin(1000 * within);
  for (;;) {
    const row: DrainRow = draining.progress;
    await rows(row);
    if (row.stopping) await new Promise<never>(() => undefined);
    await Promise.race([delay(PROGRESS_MS, undefined, { ref: false }), draining.over]);
  }
};
