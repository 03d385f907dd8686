/** From a profile to a session: of the process that has one, or with password and words. */
import { ClientError, type PublicIdentity, type Secrets } from '../../../client/index.js';
import { plainLine } from '../../../plain/plain.js';
import type { Door, OpenClient } from '../ports.js';
import { Left, problemOf, type Asker } from './asker.js';

const wrong: ReadonlySet<string> = new Set(['wrong-password', 'wrong-words', 'former-secrets', 'newer-secrets']);

/**
 * A client that is not connected yet.
 * @param said why one has to log in again; empty where there is no reason
 * @throws Left, ClientError
 */
export async function unlock(asker: Asker, door: Door, identity: PublicIdentity, said: string): Promise<OpenClient> {
  const remote = await door.remote();
  if (remote) return remote;
  const given = said === '' ? await door.given() : undefined;
  if (given) return door.open(given);
  for (let problem = said; ;) {
    const secrets = await askSecrets(asker, identity, problem);
    asker.busy('opening …');
    try {
      return await door.open(secrets);
    } catch (thrown) {
      if (!(thrown instanceof ClientError && wrong.has(thrown.code))) throw thrown;
      problem = problemOf(thrown);
    }
  }
}

async function askSecrets(asker: Asker, { name, network }: PublicIdentity, problem: string): Promise<Secrets> {
  const title = `@${plainLine(name)} on ${plainLine(network)}`;
  const said = problem === '' ? [] : [problem, ''];
  const password = await asker.ask({
    title,
    text: [...said, 'Welcome back.'],
    field: { label: 'password: ', isSecret: true },
  });
  if (password === undefined) throw new Left();
  const words = await asker.ask({
    title,
    text: ['And your three words.'],
    field: { label: 'words: ', isSecret: true },
  });
  if (words === undefined) throw new Left();
  return { password, words };
}
