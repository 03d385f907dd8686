/** Goes to a conversation by its name. */
import type { Surface } from '../commands/surface.js';
import type { Conversation } from '../talk/conversation.js';

/** Names that are shown to choose from. */
const SHOWN = 12;

export async function switchTo(surface: Surface): Promise<void> {
  const list = surface.talk.list();
  const check = (word: string): string | undefined => (bestOf(list, word) ? undefined : 'nobody is called so');
  const answer = await surface.ask({
    title: 'Go to',
    text: list.slice(0, SHOWN).map((one) => ` ${one.label}${one.unread > 0 ? ` (${String(one.unread)})` : ''}`),
    field: { label: 'name: ', isSecret: false, check },
  });
  const one = answer === undefined ? undefined : bestOf(list, answer);
  if (one) surface.open(one);
}

/** Who is called so, whose name begins so, or holds it. */
function bestOf(list: readonly Conversation[], word: string): Conversation | undefined {
  const wanted = word.trim().toLowerCase();
  const bare = wanted.replace(/^[@#]/, '');
  return (
    list.find((one) => one.label === wanted || one.key === wanted) ??
    list.find((one) => one.key.replace(/^#/, '').startsWith(bare)) ??
    list.find((one) => one.key.includes(bare))
  );
}
