/** JSON, one value a line, over a Unix socket. */
import type { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';

/**
 * @param max longest line, in characters
 * @param bad a line is too long or no JSON: the socket has been destroyed
 */
export function readLines(
  socket: Socket,
  max: number,
  each: (value: unknown) => void,
  bad: (why: string) => void,
): void {
  const decoder = new StringDecoder('utf8');
  let pieces: string[] = [];
  let length = 0;
  const refuse = (why: string): void => {
    socket.destroy();
    bad(why);
  };
  socket.on('data', (chunk: Buffer) => {
    const lines = decoder.write(chunk).split('\n');
    for (const [index, line] of lines.entries()) {
      length += line.length;
      if (length > max) return refuse('a line is too long');
      pieces.push(line);
      if (index === lines.length - 1) return;
      const whole = pieces.join('');
      pieces = [];
      length = 0;
      let value: unknown;
      try {
        value = JSON.parse(whole);
      } catch {
        return refuse('a line is not JSON'); // what JSON.parse throws says no more than that
      }
      each(value);
      if (socket.destroyed) return;
    }
  });
}

export function writeLine(socket: Socket, value: unknown): void {
  if (!socket.destroyed && socket.writable) socket.write(`${JSON.stringify(value)}\n`);
}
