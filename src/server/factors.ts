/** The second factor (SPEC 6.8): one-time codes, codes that came by mail, recovery codes. Each counts once. */
import { verifySync } from 'otplib';
import { fromUtf8, RECOVERY_CODE, samePublic } from '../../protocol/index.js';
import { SecondFactor, type Account, type Security } from '../store/store.js';
import type { BackOff } from './back-off.js';
import type { Context } from './context.js';
import { detailsOf } from './details.js';
import { idKey } from './keys.js';

/** How somebody proves a second factor: the field `factor`. */
export const FactorProof = { none: 0, totp: 1, recovery: 2, grant: 3, mail: 4 } as const;

export interface Proof {
  /** words proof, 32 bytes */
  readonly words: Uint8Array;
  /** of FactorProof */
  readonly factor: number;
  readonly code: Uint8Array;
}

/** Codes of the step before and the one after count too: clocks differ (RFC 6238 section 5.2). In seconds. */
const TOLERANCE = 30;
const SECRET = 'totp secret';

type Shared = Pick<Context, 'store' | 'sync' | 'atRest' | 'now' | 'mailCodes' | 'codeFailures'>;

export function hasWords({ sync }: Pick<Context, 'sync'>, account: Account, words: Uint8Array): boolean {
  return sync.equal(sync.sha256(words), account.words);
}

/** What became of a proof; `wait`: seconds in which no code of the account is looked at, and this one was not. */
export interface Spent {
  readonly counts: boolean;
  readonly wait: number;
}

/**
 * Whether this proves the account's second factor, or that it has none. A code that counts is used up on the disk before
 * this resolves, and of two at once one counts. A grant proves nothing here.
 *
 * Wrong codes are counted for the account, wherever they come from: whoever has words and a session has many addresses,
 * and what a login clears (its attempts) they clear with the session's grant. Nothing but time clears these.
 */
export async function spend(context: Shared, account: Account, proof: Proof): Promise<Spent> {
  if (proof.factor === FactorProof.none || proof.factor === FactorProof.grant)
    return { counts: await proves(context, account, proof), wait: 0 };
  const key = idKey(account.uid);
  const wait = wrongCodes(context, key, (failures, now) => failures.wait(now));
  if (wait > 0) return { counts: false, wait };
  const counts = await proves(context, account, proof);
  if (!counts) wrongCodes(context, key, (failures, now) => failures.fail(now));
  return { counts, wait: 0 };
}

function wrongCodes<T>({ codeFailures }: Shared, key: string, use: (failures: BackOff, now: number) => T): T {
  const now = performance.now();
  return use(codeFailures.get(key, now), now);
}

async function proves(context: Shared, account: Account, { factor, code }: Proof): Promise<boolean> {
  const own = account.security.factor;
  if (factor === FactorProof.none) return own === SecondFactor.none;
  if (factor === FactorProof.recovery) return own !== SecondFactor.none && spendRecovery(context, account, code);
  if (factor === FactorProof.totp) return own === SecondFactor.totp && spendStep(context, account, code);
  if (factor === FactorProof.mail) return own === SecondFactor.mail && spendMailed(context, account, code);
  return false;
}

/** Of the address that the account has at this moment: a code that went to a former one proves nothing any more. */
async function spendMailed(context: Shared, { uid }: Account, code: Uint8Array): Promise<boolean> {
  const now = await context.store.accountByUid(uid);
  if (now?.security.factor !== SecondFactor.mail) return false;
  return context.mailCodes.spend({ uid, email: detailsOf(context, now).email }, code);
}

/** The time step whose code this is, now or one step away; undefined: of none. */
export function stepOf(secret: Uint8Array, code: Uint8Array, now: number): number | undefined {
  const token = fromUtf8(code);
  if (token === undefined || !/^[0-9]{6}$/.test(token)) return undefined;
  const found = verifySync({ secret, token, epoch: Math.floor(now / 1000), epochTolerance: TOLERANCE });
  return found.valid && 'timeStep' in found ? found.timeStep : undefined;
}

export function sealSecret({ atRest }: Pick<Context, 'atRest'>, uid: Uint8Array, secret: Uint8Array): Uint8Array {
  return atRest.seal(uid, SECRET, secret);
}

async function spendStep(
  { store, atRest, now }: Shared,
  { uid, security }: Account,
  code: Uint8Array,
): Promise<boolean> {
  const secret = atRest.open(uid, SECRET, security.secret);
  if (!secret) throw new Error('the secret of one-time codes was sealed under other keys');
  const step = stepOf(secret, code, now());
  if (step === undefined) return false;
  const changed = await store.changeAccount(uid, (account) => {
    const { factor, secret: sealed, step: last } = account.security;
    const same = factor === SecondFactor.totp && samePublic(sealed, security.secret);
    return same && step > last ? withSecurity(account, { step }) : undefined;
  });
  return changed !== undefined;
}

/** What is kept of a recovery code. It has 80 random bits: nobody finds it from its hash. */
export function recoveryHash({ sync }: Pick<Context, 'sync'>, uid: Uint8Array, code: Uint8Array): Uint8Array {
  return sync.sha256(uid, code);
}

/** The account without this recovery code; undefined where it has none such. */
export function withoutRecovery(account: Account, hash: Uint8Array): Account | undefined {
  const { recovery } = account.security;
  const left = recovery.filter((one) => !samePublic(one, hash));
  return left.length < recovery.length ? withSecurity(account, { recovery: left }) : undefined;
}

async function spendRecovery(context: Shared, { uid }: Account, code: Uint8Array): Promise<boolean> {
  if (code.length !== RECOVERY_CODE) return false;
  const hash = recoveryHash(context, uid, code);
  return (await context.store.changeAccount(uid, (account) => withoutRecovery(account, hash))) !== undefined;
}

export function withSecurity(account: Account, change: Partial<Security>): Account {
  return { ...account, security: { ...account.security, ...change } };
}
