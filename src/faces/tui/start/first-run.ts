/** From nothing to an account: name, password, three words, and a second factor for who wants it now. */
import { checkSecrets, ClientError, error, type Application, type Secrets } from '../../../client/index.js';
import { toName } from '../../../../protocol/index.js';
import { plainLine } from '../../../plain/plain.js';
import type { Door, OpenClient } from '../ports.js';
import { checkedBy, Left, problemOf, type Asker } from './asker.js';
import { setUpFactor } from './second-factor.js';

const SOUND: Secrets = { password: 'long enough', words: 'any three words' };

/** @throws Left, ClientError */
export async function firstRun(asker: Asker, door: Door): Promise<OpenClient> {
  const begun = await door.unfinished();
  if (begun !== undefined) await tellBegun(asker, begun);
  let [name, { password, words }] = await askAll(asker, door, begun);
  let application: Application = {};
  for (;;) {
    asker.busy(`making the account @${name} …`);
    try {
      const opened = await door.register(name, { password, words }, application);
      await offerFactor(asker, opened);
      return opened;
    } catch (thrown) {
      if (!(thrown instanceof ClientError)) throw thrown;
      if (thrown.code === 'name-taken') name = await must(askName(asker, door, problemOf(thrown)));
      else if (inviting.has(thrown.code)) application = { invitation: await askInvitation(asker, problemOf(thrown)) };
      else if (secret.has(thrown.code)) {
        await orAgain(asker, problemOf(thrown));
        [, { password, words }] = await askAll(asker, door, name);
      } else await orAgain(asker, problemOf(thrown));
    }
  }
}

/** One question after another; Esc goes back to the one before, and from the first of them out. @throws Left */
async function askAll(asker: Asker, door: Door, known: string | undefined): Promise<[name: string, Secrets]> {
  let [name, password]: [string | undefined, string | undefined] = [known, undefined];
  for (;;) {
    if (name === undefined) {
      name = await must(askName(asker, door, ''));
    } else if (password === undefined) {
      password = await askPassword(asker);
      if (password === undefined && known !== undefined) throw new Left();
      if (password === undefined) name = undefined;
    } else {
      const words = await askWords(asker, door);
      if (words !== undefined) return [name, { password, words }];
      password = undefined;
    }
  }
}

/** Of a registration that was begun with other secrets. */
const secret: ReadonlySet<string> = new Set(['wrong-password', 'wrong-words']);
const inviting: ReadonlySet<string> = new Set(['invitation-needed', 'invitation-refused', 'bad-invitation']);

async function must(answer: Promise<string | undefined>): Promise<string> {
  const given = await answer;
  if (given === undefined) throw new Left();
  return given;
}

async function askName(asker: Asker, door: Door, problem: string): Promise<string | undefined> {
  const typedName = await asker.ask({
    title: `Welcome to ${plainLine(door.network)}`,
    text: [
      ...(problem === '' ? [] : [problem, '']),
      'A private chat network: what you write is sealed on this machine for whom you write to.',
      '',
      'How shall the others call you? 3 to 32 of a-z, 0-9 and _.',
      'Who has an account already: cadenas account import FILE, or cadenas recover @name.',
    ],
    field: {
      label: 'your name: @',
      isSecret: false,
      check: (text) => checkedBy(() => nameOf(text)),
    },
  });
  return typedName === undefined ? undefined : nameOf(typedName);
}

/** @throws ClientError `bad-name` */
function nameOf(text: string): string {
  const name = toName(text.trim());
  if (name === undefined) throw error('bad-name', plainLine(text));
  return name;
}

async function tellBegun(asker: Asker, name: string): Promise<void> {
  await must(
    asker.ask({
      title: `A registration of @${plainLine(name)} was begun here`,
      text: ['It may be done already. Type the same password and words again to finish it.'],
      choices: [{ key: 'enter', label: 'go on', value: 'on' }],
    }),
  );
}

async function askPassword(asker: Asker): Promise<string | undefined> {
  for (let problem = ''; ;) {
    const password = await asker.ask({
      title: 'Your password',
      text: [
        ...(problem === '' ? [] : [problem, '']),
        'It opens what is kept on this machine, and proves you to the daemon, which never learns it. Nobody can give it to you again.',
      ],
      field: {
        label: 'password: ',
        isSecret: true,
        check: (text) => checkedBy(() => checkSecrets({ ...SOUND, password: text })),
      },
    });
    if (password === undefined) return undefined;
    const again = await asker.ask({
      title: 'Your password',
      text: ['The same again.'],
      field: { label: 'again: ', isSecret: true },
    });
    if (again === password) return password;
    problem = again === undefined ? '' : 'These were two different passwords; once more.';
  }
}

async function askWords(asker: Asker, door: Door): Promise<string | undefined> {
  const chosen = await asker.ask({
    title: 'Three words',
    text: [
      'They are asked after the password at each login, and make it harder to guess.',
      'Type three words of your own, or press Enter alone: three are drawn for you.',
    ],
    field: {
      label: 'words: ',
      isSecret: true,
      check: (text) =>
        text.trim() === '' ? undefined : checkedBy(() => checkSecrets({ ...SOUND, words: text.trim() })),
    },
  });
  if (chosen === undefined) return undefined;
  const words = chosen.trim() === '' ? door.newWords() : chosen.trim();
  const noted = await asker.ask({
    title: 'Your three words',
    text: [`   ${plainLine(words)}`, '', 'Note them now: nobody can give them to you again.'],
    choices: [{ key: 'enter', label: 'I noted them', value: 'noted' }],
  });
  return noted === undefined ? askWords(asker, door) : words;
}

async function askInvitation(asker: Asker, problem: string): Promise<string> {
  return must(
    asker.ask({
      title: 'Invitation',
      text: [problem, '', 'The operator of this network gives you a code.'],
      field: { label: 'code: ', isSecret: false },
    }),
  );
}

/** What may be otherwise in a moment: a daemon that is down, a network that is away. @throws Left */
async function orAgain(asker: Asker, problem: string): Promise<void> {
  await must(
    asker.ask({
      title: 'That did not work',
      text: [problem],
      choices: [{ key: 'enter', label: 'try again', value: 'again' }],
    }),
  );
}

async function offerFactor(asker: Asker, opened: OpenClient): Promise<void> {
  const answer = await asker.ask({
    title: 'You have an account',
    text: [
      'A second factor asks for a code of an authenticator too, and gives you recovery codes: without them nobody can bring the account back if this machine is lost.',
      'You can set it up later with /2fa.',
    ],
    choices: [
      { key: 'enter', label: 'later', value: 'later' },
      { key: 't', label: 'set it up now', value: 'now' },
    ],
  });
  if (answer !== 'now') return;
  try {
    await setUpFactor(asker, opened.client);
  } catch (thrown) {
    await orAgain(asker, `${problemOf(thrown)} /2fa sets it up later.`);
  }
}
