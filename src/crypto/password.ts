/** OPAQUE by @serenity-kit/opaque (WebAssembly), with its own Argon2id in it; and Argon2id outside of it. */
import * as opaque from '@serenity-kit/opaque';
import { utf8, type PasswordClient, type PasswordServer } from '../../protocol/index.js';
import { argon2id } from './argon2.js';

const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
const toBytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64url'));

/** OPAQUE's key stretching, and the protocol's everywhere: 64 MiB, t = 3, p = 1 (SPEC 6.1). */
const STRETCHING = { memory: 65536, iterations: 3, parallelism: 1 };

/** The library throws where a message is no valid group element or proof: hostile input, answered as undefined. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** @param stretching another one is for loads and tests alone, which log in faster than people: a daemon can't tell */
export async function passwordClient(stretching = STRETCHING): Promise<PasswordClient> {
  const keyStretching = { 'argon2id-custom': stretching };
  await opaque.ready;
  return {
    registrationStart(password) {
      const { clientRegistrationState, registrationRequest } = opaque.client.startRegistration({ password });
      return { state: clientRegistrationState, request: toBytes(registrationRequest) };
    },
    registrationFinish(password, state, response) {
      const done = attempt(() =>
        opaque.client.finishRegistration({
          password,
          clientRegistrationState: state,
          registrationResponse: toText(response),
          keyStretching,
        }),
      );
      return done && { record: toBytes(done.registrationRecord), exportKey: toBytes(done.exportKey) };
    },
    loginStart(password) {
      const { clientLoginState, startLoginRequest } = opaque.client.startLogin({ password });
      return { state: clientLoginState, ke1: toBytes(startLoginRequest) };
    },
    loginFinish(password, state, ke2) {
      const done = attempt(() =>
        opaque.client.finishLogin({ password, clientLoginState: state, loginResponse: toText(ke2), keyStretching }),
      );
      return (
        done && {
          ke3: toBytes(done.finishLoginRequest),
          sessionKey: toBytes(done.sessionKey),
          exportKey: toBytes(done.exportKey),
        }
      );
    },
    stretch(secret, salt) {
      const { memory, iterations: passes, parallelism } = STRETCHING;
      return argon2id({ message: utf8(secret), nonce: salt, memory, passes, parallelism, tagLength: 32 });
    },
  };
}

/** A new server setup: losing it loses every account of the network. */
export async function createOpaqueSetup(): Promise<string> {
  await opaque.ready;
  return opaque.server.createSetup();
}

export async function passwordServer(serverSetup: string): Promise<PasswordServer> {
  await opaque.ready;
  return {
    registrationResponse(identifier, request) {
      const done = attempt(() =>
        opaque.server.createRegistrationResponse({
          serverSetup,
          userIdentifier: toText(identifier),
          registrationRequest: toText(request),
        }),
      );
      return Promise.resolve(done && toBytes(done.registrationResponse));
    },
    loginResponse(identifier, record, ke1) {
      const done = attempt(() =>
        opaque.server.startLogin({
          serverSetup,
          userIdentifier: toText(identifier),
          registrationRecord: record && toText(record),
          startLoginRequest: toText(ke1),
        }),
      );
      return Promise.resolve(done && { state: done.serverLoginState, ke2: toBytes(done.loginResponse) });
    },
    loginFinish(state, ke3) {
      const done = attempt(() =>
        opaque.server.finishLogin({ serverLoginState: state, finishLoginRequest: toText(ke3) }),
      );
      return Promise.resolve(done && toBytes(done.sessionKey));
    },
  };
}
