/**
 * Unauthorised attempts: the one place where they are counted, told and put on record. Whoever fails to prove something
 * comes through `failed`, which shuts their source out for a growing time; what is refused for another reason through
 * `refused`.
 */
import type { Who } from './audit.js';
import type { Context } from './context.js';
import type { Caller } from './handler.js';
import type { Attempt } from './refusals.js';

type By = Pick<Caller, 'source' | 'connectionId'>;

/** 0, or the seconds for which nothing that could fail is looked at for this source. */
export function shutOut({ failures }: Pick<Context, 'failures'>, { source }: Pick<Caller, 'source'>): number {
  const now = performance.now();
  return failures.get(source, now).wait(now);
}

/** Something was not proven. @param who as far as it is known; a name that was only typed is kept as a hash */
export function failed(
  context: Pick<Context, 'failures' | 'refusals' | 'audit'>,
  by: By,
  attempt: Attempt,
  who?: Who,
): void {
  const now = performance.now();
  context.failures.get(by.source, now).fail(now);
  refused(context, by, attempt, who);
}

/** Something was refused that is no guess: it is on record, and shuts nobody out. @param more for the log */
export function refused(
  { refusals, audit }: Pick<Context, 'refusals' | 'audit'>,
  { source, connectionId: connection }: By,
  attempt: Attempt,
  who?: Who,
  more?: Readonly<Record<string, string>>,
): void {
  refusals.count(attempt, source, { connection, ...more });
  audit.add(attempt, source, who);
}
