/** The vector of a registration and a login by OPAQUE (SPEC 6.1). Its library draws for itself: the bytes are recorded. */
import { createHash } from 'node:crypto';
import { argon2id } from 'hash-wasm';
import { concat, fromHex, hex, utf8 } from '../../protocol/index.js';
import { createOpaqueSetup, passwordClient, passwordServer } from '../../src/crypto/index.js';
import { toJson, type Vector } from './format.js';
import { unblind } from './ristretto.js';
import { Seeded } from './seeded.js';

const PASSWORD = 'correct horse battery stäple';
const fromText = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64url'));
const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`opaque: ${what}`);
  return value;
}

/** RFC 9497 section 3.3.1, Finalize */
function oprfOutput(password: string, blind: Uint8Array, evaluated: Uint8Array): Uint8Array {
  const input = utf8(password);
  const length = (bytes: Uint8Array): Uint8Array => Uint8Array.of(bytes.length >> 8, bytes.length & 0xff);
  const element = unblind(blind, evaluated);
  const hashed = concat(length(input), input, length(element), element, utf8('Finalize'));
  return Uint8Array.from(createHash('sha512').update(hashed).digest());
}

/** OPAQUE's Stretch as SPEC 6.1 fixes it. */
function stretched(output: Uint8Array): Promise<Uint8Array> {
  const cost = { memorySize: 65536, iterations: 3, parallelism: 1, hashLength: 64 };
  return argon2id({ password: output, salt: new Uint8Array(16), ...cost, outputType: 'binary' });
}

const what = 'a registration and a login by OPAQUE, with what each side drew';

export async function makeOpaque(): Promise<Vector> {
  const client = await passwordClient();
  const serverSetup = await createOpaqueSetup();
  const server = await passwordServer(serverSetup);
  const uid = new Seeded('opaque uid').bytes(16);
  const asked = client.registrationStart(PASSWORD);
  const response = present(await server.registrationResponse(uid, asked.request), 'registration response');
  const registered = present(client.registrationFinish(PASSWORD, asked.state, response), 'registration');
  const begun = client.loginStart(PASSWORD);
  const answered = present(await server.loginResponse(uid, registered.record, begun.ke1), 'login response');
  const proven = present(client.loginFinish(PASSWORD, begun.state, answered.ke2), 'login');
  const loginState = fromText(begun.state);
  const output = oprfOutput(PASSWORD, loginState.subarray(0, 32), answered.ke2.subarray(0, 32));
  const registration = { state: fromText(asked.state), request: asked.request, response, record: registered.record };
  const login = {
    state: loginState,
    ke1: begun.ke1,
    serverState: fromText(answered.state),
    ke2: answered.ke2,
    ...proven,
  };
  const derived = { oprfOutput: output, stretched: await stretched(output) };
  const names = { password: PASSWORD, uid, identifier: toText(uid), serverSetup: fromText(serverSetup) };
  return {
    kind: 'opaque',
    what,
    expect: 'accepted',
    ...(toJson({ ...names, registration, login, derived }) as object),
  };
}

interface OpaqueVector {
  readonly password: string;
  readonly uid: string;
  readonly identifier: string;
  readonly serverSetup: string;
  readonly registration: Readonly<Record<'state' | 'request' | 'response' | 'record', string>>;
  readonly login: Readonly<
    Record<'state' | 'ke1' | 'serverState' | 'ke2' | 'ke3' | 'sessionKey' | 'exportKey', string>
  >;
  readonly derived: Readonly<Record<'oprfOutput' | 'stretched', string>>;
}

export async function verifyOpaque(vector: Vector): Promise<void> {
  const { password, uid, identifier, serverSetup, registration, login, derived } = vector as unknown as OpaqueVector;
  const same = (name: string, actual: Uint8Array | undefined, expected: string): void => {
    if (!actual || hex(actual) !== expected) throw new Error(`opaque: another ${name}`);
  };
  if (vector.what !== what || password !== PASSWORD) throw new Error('opaque: another case');
  if (toText(fromHex(uid)) !== identifier) throw new Error('opaque: another identifier');
  const client = await passwordClient();
  const server = await passwordServer(toText(fromHex(serverSetup)));
  same(
    'response',
    await server.registrationResponse(fromHex(uid), fromHex(registration.request)),
    registration.response,
  );
  const state = toText(fromHex(login.state));
  const proven = present(client.loginFinish(password, state, fromHex(login.ke2)), 'KE2 does not prove the password');
  same('KE3', proven.ke3, login.ke3);
  same('session key', proven.sessionKey, login.sessionKey);
  same('export key', proven.exportKey, login.exportKey);
  const accepted = await server.loginFinish(toText(fromHex(login.serverState)), fromHex(login.ke3));
  same('session key of the daemon', accepted, login.sessionKey);
  const output = oprfOutput(password, fromHex(login.state).subarray(0, 32), fromHex(login.ke2).subarray(0, 32));
  same('OPRF output', output, derived.oprfOutput);
  same('stretched output', await stretched(output), derived.stretched);
}
