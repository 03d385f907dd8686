/** Sets up codes of an authenticator, from the picture to the recovery codes. */
import { ClientError, type Client } from '../../../client/index.js';
import { plainLine } from '../../../plain/plain.js';
import { withCode, type Asker } from './asker.js';

/**
 * Whether it is on now; false where somebody wants it later.
 * @throws ClientError, Left
 */
export async function setUpFactor(asker: Asker, client: Client): Promise<boolean> {
  const begun = await withCode(asker, (code) =>
    client.call('factor-begin', { kind: 'totp', ...(code === undefined ? {} : { code }) }),
  );
  if (begun.kind !== 'totp') return false;
  const groups = (begun.secret.match(/.{1,4}/g) ?? []).join(' ');
  for (let problem = ''; ;) {
    const code = await asker.ask({
      title: 'Second factor',
      code: begun.uri,
      text: [
        ...(problem === '' ? [] : [problem, '']),
        'Scan the picture with your authenticator, or type its secret there:',
        groups,
        '',
        'Then type the code that it shows.',
      ],
      field: { label: 'code: ', isSecret: false },
    });
    if (code === undefined) return false;
    try {
      const { codes } = await client.call('factor-confirm', { code });
      await showCodes(asker, codes);
      return true;
    } catch (thrown) {
      if (!(thrown instanceof ClientError && ['wrong-code', 'bad-code'].includes(thrown.code))) throw thrown;
      problem = `${plainLine(thrown.message)}: type the one that it shows now.`;
    }
  }
}

async function showCodes(asker: Asker, codes: readonly string[]): Promise<void> {
  const half = Math.ceil(codes.length / 2);
  const rows = codes.slice(0, half).map((code, at) => `   ${code}   ${codes[at + half] ?? ''}`);
  await asker.ask({
    title: 'Recovery codes',
    text: [
      'Each counts once: for a login without the authenticator, or to recover the account. Note them where nobody else finds them; they are shown this once.',
      '',
      ...rows,
    ],
    choices: [{ key: 'enter', label: 'I noted them', value: 'noted' }],
  });
}
