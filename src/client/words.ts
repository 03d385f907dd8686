/** Words, drawn evenly. */
import { readUint, wordlist, type SyncCrypto } from '../../protocol/index.js';

const WORDS = 3;

export function drawWords(sync: SyncCrypto, words = WORDS): string {
  return Array.from({ length: words }, () => wordlist[draw(sync, wordlist.length)] ?? '').join(' ');
}

/** Evenly from 0 to below `below`: numbers beyond the last whole multiple are drawn again. */
function draw(sync: SyncCrypto, below: number): number {
  const range = 2 ** 32;
  const limit = range - (range % below);
  for (;;) {
    const number = readUint(sync.random(4), 0, 4);
    if (number < limit) return number % below;
  }
}
