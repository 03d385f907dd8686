/** Goes to a conversation by its name, or a part of it. */
import type { Option, Surface } from '../commands/surface.js';
import type { Conversation } from '../talk/conversation.js';

export async function switchTo(surface: Surface): Promise<void> {
  const options = (typed: string): Option[] => matching(surface.talk.list(), typed).map(optionOf);
  const key = await surface.ask({
    title: 'Go to',
    text: [],
    options,
    field: {
      label: 'name: ',
      isSecret: false,
      check: (typed) => (options(typed).length === 0 ? 'nobody is called so' : undefined),
    },
  });
  const one = key === undefined ? undefined : surface.talk.find(key);
  if (one) surface.open(one);
}

function optionOf(one: Conversation): Option {
  return { label: `${one.label}${one.unread > 0 ? ` (${String(one.unread)})` : ''}`, value: one.key };
}

/** Who is called so, then whose name begins so, then who has it in their name; in the order of the list. */
function matching(list: readonly Conversation[], typed: string): Conversation[] {
  const wanted = typed.trim().toLowerCase();
  const bare = wanted.replace(/^[@#]/, '');
  const rank = (one: Conversation): number => {
    const name = one.label.replace(/^[@#]/, '').toLowerCase();
    if (wanted !== bare && !one.label.startsWith(wanted.charAt(0))) return -1;
    return [name === bare, name.startsWith(bare), name.includes(bare)].indexOf(true);
  };
  return [0, 1, 2].flatMap((each) => list.filter((one) => rank(one) === each));
}
