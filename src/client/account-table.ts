/** Commands about one's own account, as rows of the core's table. */
import type { Commands } from './client.js';
import type { Desk } from './desk.js';
import { error } from './errors.js';
import type { Secrets } from './identity.js';
import { SecretsChange } from './secrets-change.js';
import type { Session } from './session.js';

type AccountCommand = 'secrets-change';
type AccountTable = { readonly [C in AccountCommand]: (args: Commands[C]['args']) => Promise<Commands[C]['result']> };

/** Arguments may come through a socket: of the same user, but perhaps of another version of this program. */
type Text = (value: unknown, what: string) => string;

export function accountTable(desk: Desk, session: Session, text: Text): AccountTable {
  const secrets = (value: unknown, what: string): Secrets => {
    if (typeof value !== 'object' || value === null) throw error('usage', `${what} are missing`);
    const { password, words } = value as Partial<Record<keyof Secrets, unknown>>;
    return { password: text(password, `a password among ${what}`), words: text(words, `words among ${what}`) };
  };
  const code = (args: { readonly code?: string }): string | undefined =>
    args.code === undefined ? undefined : text(args.code, 'the code');
  const change = new SecretsChange(desk, session);
  return {
    'secrets-change': async (args) => {
      const [present, next] = [secrets(args.present, 'the present secrets'), secrets(args.next, 'the new secrets')];
      await change.change(present, next, code(args));
      return {};
    },
  };
}
