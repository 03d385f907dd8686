/** What is typed as a number or a time, checked. */
import { InvalidArgumentError } from 'commander';

const HOUR = 3600_000;
const DAYS_MOST = 366;
const MANY = 1_000;

/** In ms. */
export function lasting(text: string): number {
  const [, number, unit] = /^([1-9]\d{0,3})([hd])$/.exec(text) ?? [];
  const ms = Number(number) * (unit === 'd' ? 24 * HOUR : HOUR);
  if (number === undefined || ms > DAYS_MOST * 24 * HOUR)
    throw new InvalidArgumentError(`write hours or days, as 12h or 7d, ${String(DAYS_MOST)}d at most.`);
  return ms;
}

const DAY_S = 86_400;

export function seconds(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > DAY_S)
    throw new InvalidArgumentError(`write seconds, ${String(DAY_S)} at most.`);
  return Number(text);
}

export function howMany(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text) || Number(text) > MANY)
    throw new InvalidArgumentError(`write a number, ${String(MANY)} at most.`);
  return Number(text);
}
