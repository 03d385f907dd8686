/** Passwords of rooms: from the secrets, from a prompt, or left to be drawn. */
import type { Run } from './run.js';
import { newPassword } from './secrets.js';

/** A new one; undefined where it is to be drawn. */
export async function newRoomPassword(run: Run, room: string): Promise<string | undefined> {
  const given = await fromSecrets(run, room);
  if (given !== undefined || !run.prompter.possible) return given;
  const { prompter } = run;
  try {
    const question = `New password of #${room} (8 characters or more; Enter: one of five words is drawn for you): `;
    const typed = await newPassword(prompter, question, true);
    return typed === '' ? undefined : typed;
  } finally {
    prompter.close();
  }
}

/** The one that opens a room; undefined where there is none, and nobody to ask. */
export async function roomPassword(run: Run, room: string): Promise<string | undefined> {
  const given = await fromSecrets(run, room);
  if (given !== undefined || !run.prompter.possible) return given;
  try {
    const typed = await run.prompter.hidden(`Password of #${room}: `);
    return typed === '' ? undefined : typed;
  } finally {
    run.prompter.close();
  }
}

async function fromSecrets(run: Run, room: string): Promise<string | undefined> {
  return (await run.given())?.rooms.get(room);
}
