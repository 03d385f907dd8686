/** Yes or no to what a banner asks. */
import { asClientError } from '../../../client/index.js';
import type { Conversation } from '../talk/conversation.js';
import { accept, decline, verify } from './people.js';
import { declineRoom, join } from './rooms.js';
import type { Surface } from './surface.js';
import { troubleText } from './typed.js';

export async function answer(surface: Surface, one: Conversation, yes: boolean): Promise<void> {
  try {
    if (one.asks === 'request') await (yes ? accept : decline)(surface, one.key, one);
    else if (one.asks === 'invitation') await (yes ? join : declineRoom)(surface, one.key, one);
    else if (one.asks === 'offer' && yes) await join(surface, one.key, one);
    else if (one.asks === 'changed') await verify(surface, one.key, one);
    else surface.say('nobody asks you anything here');
  } catch (thrown) {
    surface.say(troubleText(asClientError(thrown, '')), true);
  }
}
