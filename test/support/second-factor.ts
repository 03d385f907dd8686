/** An authenticator, and a second factor set up by the raw client. */
import { generateSync } from 'otplib';
import { structs, utf8, type Values } from '../../protocol/index.js';
import { noCode, type FactorCode, type RawConnection, type RawUser } from './raw.js';

const STEP_MS = 30_000;

/** @param steps away from now */
export function totp(secret: Uint8Array, steps = 0): FactorCode {
  const epoch = Math.floor((Date.now() + steps * STEP_MS) / 1000);
  return { factor: 1, code: utf8(generateSync({ secret, epoch })) };
}

export function recovery(code: Uint8Array): FactorCode {
  return { factor: 2, code };
}

export const noMail = { email: new Uint8Array(0) };

/** One-time codes, confirmed by that of the step before this one: those of this step and the next still count. */
export async function enableTotp(
  raw: RawConnection,
  user: RawUser,
): Promise<{ readonly secret: Uint8Array; readonly codes: readonly Uint8Array[] }> {
  const first = await raw.ask(structs.fact1, { kind: 1, words: user.proof, ...noCode, ...noMail });
  const { secret } = first.values as Values<typeof structs.fact1Answer>;
  const kept = secret.slice();
  const second = await raw.ask(structs.fact2, { code: totp(kept, -1).code });
  if (second.header.code !== 200) throw new Error(`fact2: ${String(second.header.code)}`);
  const { codes } = second.values as Values<typeof structs.fact2Answer>;
  return { secret: kept, codes: codes.map(({ code }) => code.slice()) };
}
