/** Status and code of an answer (SPEC 3.4). */

export const Status = { valid: 0, progress: 1, error: 2, finished: 3 } as const;
export type Status = (typeof Status)[keyof typeof Status];

export const Code = {
  none: 0,
  /** a login or registration has its first answer */
  proceed: 101,
  /** the password is proven; the words are due */
  words: 102,
  /** a code was sent by mail and is due */
  mailed: 103,
  done: 200,
  queued: 202,
  malformed: 400,
  authentication: 401,
  forbidden: 403,
  notFound: 404,
  conflict: 409,
  tooLarge: 413,
  upgrade: 426,
  limited: 429,
  internal: 500,
  unavailable: 503,
  storage: 507,
} as const;
export type Code = (typeof Code)[keyof typeof Code];

export const codes: ReadonlySet<number> = new Set(Object.values(Code));
export const statuses: ReadonlySet<number> = new Set(Object.values(Status));

/** These say "later" and never end what a client keeps to send (SPEC 8.3). */
export const laterCodes: ReadonlySet<number> = new Set([Code.limited, Code.internal, Code.unavailable, Code.storage]);
