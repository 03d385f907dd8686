/** What is typed as a number or a time, checked. */
import { InvalidArgumentError } from 'commander';
import { INVITATION_DAYS_MAX, INVITATIONS_MAX, WAIT_MAX_S } from '../control/types.js';

const HOUR = 3600_000;

/** In ms. */
export function lasting(text: string): number {
  const [, number, unit] = /^([1-9]\d{0,3})([hd])$/.exec(text) ?? [];
  const ms = Number(number) * (unit === 'd' ? 24 * HOUR : HOUR);
  if (number === undefined || ms > INVITATION_DAYS_MAX * 24 * HOUR)
    throw new InvalidArgumentError(`write hours or days, as 12h or 7d, ${String(INVITATION_DAYS_MAX)}d at most.`);
  return ms;
}

export function seconds(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > WAIT_MAX_S)
    throw new InvalidArgumentError(`write seconds, ${String(WAIT_MAX_S)} at most.`);
  return Number(text);
}

export function howMany(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text) || Number(text) > INVITATIONS_MAX)
    throw new InvalidArgumentError(`write a number, ${String(INVITATIONS_MAX)} at most.`);
  return Number(text);
}
