/** The two sides' keys and clock that a switch to ck3 wants, for tests. */
import { Label, type EpochHost, type EpochStart, type RsaPrivate } from '../../protocol/index.js';
import { nodeAsymmetric, type NodeRsaPrivate } from '../../src/crypto/index.js';

/** For links that live too shortly for a second epoch: a block is a fault. */
export const noEpochs: EpochStart = {
  keys: {
    theirs: new Uint8Array(256),
    open: () => Promise.reject(new Error('a block in a link without epochs')),
  },
  host: { elapsed: () => 0, hold: () => undefined, refused: () => undefined },
};

/** Blocks sealed to `theirs` and opened with `own`. */
export function epochs(
  theirs: RsaPrivate,
  own: NodeRsaPrivate,
  more: Partial<EpochHost> & { readonly frames?: number; readonly opened?: () => void } = {},
): EpochStart {
  const { frames, opened, ...host } = more;
  const open = (block: Uint8Array): Promise<Uint8Array | undefined> => {
    opened?.();
    return nodeAsymmetric.oaepOpen(own, Label.epoch, block);
  };
  return {
    keys: { theirs: theirs.modulus, open },
    host: { ...noEpochs.host, ...host },
    ...(frames ? { frames } : {}),
  };
}
