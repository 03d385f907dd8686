/** Codes of a second factor: among the secrets, or asked for where they turn out to be needed. */
import { ClientError, type ClientCore } from '../../client/index.js';
import type { Prompter } from './prompt.js';
import type { Given } from './secrets.js';

/** Where a code may come from. */
interface Asked {
  readonly prompter: Prompter;
  /** the secrets of --secrets-file or --secrets-fd */
  readonly given: Given;
}

const TRIES = 3;

const questions: Readonly<Record<string, string>> = {
  'code-needed': 'Code of your authenticator (or a recovery code): ',
  'mail-code-needed': 'Code that came by mail (or a recovery code): ',
};

/** The code among the secrets, if there is one. */
export async function givenCode(asked: Asked): Promise<string | undefined> {
  return (await asked.given())?.code;
}

/**
 * Does what may need a code: first without, since a session that runs needs none and a code counts once. Then with the one
 * among the secrets; then a person on a terminal is asked, and asked again after a mistake.
 */
export async function withCode<T>(asked: Asked, work: (code: string | undefined) => Promise<T>): Promise<T> {
  let question: string | undefined;
  let given = await givenCode(asked);
  let code: string | undefined;
  for (let left = TRIES; ;) {
    try {
      return await work(code);
    } catch (thrown) {
      if (!(thrown instanceof ClientError)) throw thrown;
      const mistyped = thrown.code === 'wrong-code' || thrown.code === 'bad-code';
      question = questions[thrown.code] ?? (mistyped ? question : undefined);
      if (question === undefined) throw thrown;
      code = given;
      given = undefined;
      if (code !== undefined) continue;
      if (!asked.prompter.possible || left-- === 0) throw thrown;
      if (mistyped) asked.prompter.tell(`${thrown.message}; once more`);
      code = await askCode(asked, question);
    }
  }
}

export async function askCode({ prompter }: Asked, question: string): Promise<string> {
  try {
    return await prompter.visible(question);
  } finally {
    prompter.close();
  }
}

/** As commands of the core take it. */
export function codeField(code: string | undefined): { readonly code?: string } {
  return code === undefined ? {} : { code };
}

/** Logs in, with a code where one is needed. */
export function connectCore(asked: Asked, core: ClientCore): Promise<void> {
  return withCode(asked, (code) => core.connect(undefined, code));
}
