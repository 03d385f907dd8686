/** What the way to a session needs of a screen: questions, and a line while something takes time. */
import { ClientError } from '../../../client/index.js';
import { plainLine } from '../../../plain/plain.js';
import type { Surface } from '../commands/surface.js';
import { typed } from '../commands/typed.js';

export interface Asker {
  ask: Surface['ask'];
  busy(text: string): void;
}

/** Somebody wants none of it any more. */
export class Left extends Error {}

/** As a problem under a field. */
export function problemOf(thrown: unknown): string {
  if (!(thrown instanceof ClientError)) throw thrown;
  return plainLine(`${thrown.message} — ${typed(thrown.hint)}`);
}

/** Undefined where the work takes it; the problem where it throws a ClientError. */
export function checkedBy(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (thrown) {
    return problemOf(thrown);
  }
}

const codeQuestions: Readonly<Record<string, string>> = {
  'code-needed': 'Type the code of your authenticator, or a recovery code.',
  'mail-code-needed': 'Type the code that came by mail, or a recovery code.',
};

/** Does what may need a code of the second factor: first without, since a session that goes on needs none. @throws Left */
export async function withCode<T>(
  asker: Pick<Asker, 'ask'>,
  work: (code: string | undefined) => Promise<T>,
): Promise<T> {
  let question: string | undefined;
  let code: string | undefined;
  for (;;) {
    let problem: string[] = [];
    try {
      return await work(code);
    } catch (thrown) {
      if (!(thrown instanceof ClientError)) throw thrown;
      const isWrong = thrown.code === 'wrong-code' || thrown.code === 'bad-code';
      question = codeQuestions[thrown.code] ?? (isWrong ? question : undefined);
      if (question === undefined) throw thrown;
      if (isWrong) problem = [`${plainLine(thrown.message)}; once more.`];
    }
    const text = [...problem, question];
    code = await asker.ask({ title: 'Second factor', text, field: { label: 'code: ', isSecret: false } });
    if (code === undefined) throw new Left();
  }
}
