/** Coming back without the keys: by a recovery code and the password, with new keys and words (SPEC 6.12). */
import {
  Code,
  Label,
  OPAQUE_KE3,
  RANDOM,
  recoveryMac,
  signKeyBundle,
  structs,
  SUITE_RSA,
  wordsProof,
} from '../../protocol/index.js';
import { isFailure } from './answers.js';
import { error } from './errors.js';
import { sealIdentity, type Draft, type Me } from './identity.js';
import type { Link } from './link.js';
import { read, refusal, type Safe } from './login.js';
import type { ClientPorts } from './ports.js';

/**
 * @param code 10 bytes
 * @throws ClientError `recovery-refused`, and what `refusal` and the link give
 */
export async function recover(
  ports: ClientPorts,
  link: Link,
  name: string,
  code: Uint8Array,
  { me: own, stretched }: Draft,
  safe: Safe,
): Promise<Me> {
  const { crypto, linked, clock } = ports;
  const { sync, asymmetric, password } = crypto;
  const { enc, sig, w, password: typed } = own;
  const started = password.loginStart(typed);
  const keys = { enc: enc.modulus, sig: sig.modulus };
  const first = await link.request(structs.rcov1, { name, code, ...keys, ke1: started.ke1 });
  if (first.isError) throw refusal(first, name, 'the recovery');
  const { uid, block, ke2 } = read(first, structs.rcov1Answer);
  const p = await asymmetric.oaepOpen(enc, Label.pop, block);
  const finished = password.loginFinish(typed, started.state, ke2);
  if (p?.length !== RANDOM) throw error('protocol', 'rcov');
  const me: Me = { ...own, name, uid };
  /* Whoever has another password, or no such code, sends the same frames: only the daemon knows what it answered. */
  if (finished) await safe.keep(sealIdentity(crypto, linked.network, me, stretched, { recovers: true }));
  const words = finished ? sync.sha256(wordsProof(sync, finished.exportKey, w)) : sync.random(RANDOM);
  const unsigned = { uid, name, ...keys, time: clock.now(), suite: SUITE_RSA };
  const bundle = await signKeyBundle({ sync, asymmetric }, sig, unsigned);
  const { time, suite, signature } = bundle;
  const second = await link.request(structs.rcov2, {
    ke3: finished?.ke3 ?? sync.random(OPAQUE_KE3),
    mac: finished ? recoveryMac(sync, p, finished.sessionKey, link.th2, words, bundle) : sync.random(RANDOM),
    words,
    time,
    suite,
    signature,
  });
  if (finished && !second.isError) return me;
  /* But after a failure of the daemon's own there is no account that these keys could belong to. */
  if (!finished || !isFailure(second.code)) await safe.drop();
  if (!finished || second.code === Code.authentication) throw error('recovery-refused', name);
  throw refusal(second, name, 'the recovery');
}
