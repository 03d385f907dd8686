/** Requests to talk and their acceptance: signed key bundles (SPEC 7.1). */
import type { SyncCrypto } from './crypto-port.js';
import type { Ports } from './handshake.js';
import { encodeFields } from './codec.js';
import { SUITE_RSA } from './envelope.js';
import { label, Label } from './labels.js';
import { structs, type Values } from './layouts.js';
import { SIGNATURE } from './limits.js';
import type { RsaPrivate } from './crypto-port.js';
import { keyProblem } from './weak-keys.js';

export type Request = Values<typeof structs.jmpu>;
export type Acceptance = Values<typeof structs.ampu>;

const unsigned = new Uint8Array(SIGNATURE);
const hashLabel = label('request hash');

function signed(fields: Uint8Array): Uint8Array {
  return fields.subarray(0, fields.length - SIGNATURE);
}

export async function signRequest(
  ports: Ports,
  key: RsaPrivate,
  request: Omit<Request, 'signature'>,
): Promise<Request> {
  const message = signed(encodeFields(structs.jmpu, { ...request, signature: unsigned }));
  return { ...request, signature: await ports.asymmetric.pssSign(key, Label.request, message) };
}

function isAcceptable(bundle: Request | Acceptance): boolean {
  return bundle.suite === SUITE_RSA && keyProblem(bundle) === undefined;
}

/** The bundle is its owner's own: a suite we know, keys that are not refused (SPEC 6.4), signed by `sig`. */
export async function verifyRequest(ports: Ports, request: Request): Promise<boolean> {
  if (!isAcceptable(request)) return false;
  const message = signed(encodeFields(structs.jmpu, request));
  return ports.asymmetric.pssVerify(request.sig, Label.request, message, request.signature);
}

/** What an acceptance answers: the hash of the whole request, signature included. */
export function requestHash(sync: SyncCrypto, request: Request): Uint8Array {
  return sync.sha256(hashLabel, encodeFields(structs.jmpu, request));
}

export async function signAcceptance(
  ports: Ports,
  key: RsaPrivate,
  acceptance: Omit<Acceptance, 'signature'>,
): Promise<Acceptance> {
  const message = signed(encodeFields(structs.ampu, { ...acceptance, signature: unsigned }));
  return { ...acceptance, signature: await ports.asymmetric.pssSign(key, Label.accept, message) };
}

export async function verifyAcceptance(ports: Ports, acceptance: Acceptance): Promise<boolean> {
  if (!isAcceptable(acceptance)) return false;
  const message = signed(encodeFields(structs.ampu, acceptance));
  return ports.asymmetric.pssVerify(acceptance.sig, Label.accept, message, acceptance.signature);
}
