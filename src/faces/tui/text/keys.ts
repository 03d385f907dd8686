import { press, pressCharacter, pressControl, UNKNOWN, type Key } from './key.js';
import { PasteReader } from './paste.js';
import { consoleKey, csiKey, ss3Key } from './sequences.js';

const ESC = 0x1b;
const BEL = 0x07;
const DEL = 0x7f;
/** Bytes of a sequence that are kept; a longer one is nobody's key. */
export const SEQUENCE_MAX = 64;
/** Bytes that a mouse report of the old form has behind `ESC [ M`. */
const OLD_MOUSE = 3;
/* OSC, DCS, APC, PM, SOS: texts of the terminal, up to ST, or to BEL. */
const stringStarts = new Set(Array.from(']P_^X', (letter) => letter.charCodeAt(0)));

type State = 'ground' | 'escape' | 'csi' | 'console' | 'ss3' | 'string' | 'stringEscape' | 'mouse' | 'altText';

/**
 * Keys out of the bytes of a terminal, which may be split anywhere. It has no clock: whether an Esc was the key or
 * begins a sequence shows when nothing follows it, so that whoever has the timer (25 to 50 ms after the last bytes)
 * calls `flush` while `pending`; of a paste that does not end, `endPaste`.
 */
export class KeyDecoder {
  #state: State = 'ground';
  #keys: Key[] = [];
  /** Of the sequence under way, behind its introducer. */
  #sequence = '';
  /** Bytes of it that are not in `#sequence`. */
  #unkept = 0;
  /** An ESC stood before the sequence under way. */
  #alt = false;
  #introducer = 0;
  #paste: PasteReader | undefined;
  readonly #utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

  /** An Esc or an unfinished sequence waits. A paste is not waited for: it has its end. */
  get pending(): boolean {
    return this.#state !== 'ground' && this.#state !== 'altText';
  }

  /** Nothing but an Esc waits: what follows it is not far. */
  get isEscape(): boolean {
    return this.#state === 'escape';
  }

  /** A paste has begun and not ended. */
  get isPasting(): boolean {
    return this.#paste !== undefined;
  }

  /** Its end does not come: what came is what was pasted. */
  endPaste(): Key[] {
    const paste = this.#paste;
    this.#paste = undefined;
    if (paste) this.#keys.push({ type: 'paste', text: paste.text() });
    return this.#taken();
  }

  feed(bytes: Uint8Array): Key[] {
    let at = 0;
    while (at < bytes.length) {
      if (this.#paste) at += this.#pasted(this.#paste, bytes.subarray(at));
      else if (this.#state === 'ground') at += this.#ground(bytes, at);
      else this.#step(bytes[at++] ?? 0);
    }
    return this.#taken();
  }

  /** Nothing more came: what waits is what it is. */
  flush(): Key[] {
    if (this.pending) {
      const alone = this.#alone();
      if (alone && this.#alt) this.#keys.push(press('escape'));
      this.#end(alone ?? UNKNOWN);
    }
    return this.#taken();
  }

  /** The key that an Esc, with one character behind it or none, is where nothing follows. */
  #alone(): Key | undefined {
    if (this.#state === 'escape') return press('escape');
    const begun = this.#state === 'csi' || this.#state === 'ss3' || this.#state === 'string';
    if (!begun || this.#sequence !== '' || this.#unkept > 0) return undefined;
    return pressCharacter(String.fromCharCode(this.#introducer), { alt: true });
  }

  #taken(): Key[] {
    const keys = this.#keys;
    this.#keys = [];
    return keys;
  }

  #pasted(paste: PasteReader, bytes: Uint8Array): number {
    const { taken, text } = paste.read(bytes);
    if (text !== undefined) {
      this.#paste = undefined;
      this.#keys.push({ type: 'paste', text });
    }
    return taken;
  }

  /** @returns how many bytes it took */
  #ground(bytes: Uint8Array, from: number): number {
    let to = from;
    while (to < bytes.length && !isControl(bytes[to] ?? 0)) to++;
    if (to > from) {
      this.#text(this.#utf8.decode(bytes.subarray(from, to), { stream: true }));
      return to - from;
    }
    this.#endText();
    const byte = bytes[from] ?? 0;
    if (byte === ESC) this.#state = 'escape';
    else this.#keys.push(pressControl(byte, false));
    return 1;
  }

  /** Half a character that nothing completes. */
  #endText(): void {
    this.#text(this.#utf8.decode());
  }

  #text(text: string): void {
    /* C1 controls are no text; as two bytes of UTF-8 terminals differ on them. */
    const plain = text.replace(/[\u0080-\u009f]/g, '');
    if (plain !== '') this.#keys.push({ type: 'text', text: plain });
  }

  #step(byte: number): void {
    switch (this.#state) {
      case 'escape':
        return this.#afterEscape(byte);
      case 'csi':
        return this.#csi(byte);
      case 'console':
        if (isControl(byte) || byte >= 0x80) return this.#abort(byte);
        return this.#end(consoleKey(String.fromCharCode(byte), this.#alt));
      case 'ss3':
        return this.#ss3(byte);
      case 'string':
        return this.#string(byte);
      case 'stringEscape':
        if (byte === 0x5c) return this.#end(UNKNOWN);
        this.#end(UNKNOWN); // the ESC began something of its own
        this.#state = 'escape';
        return this.#step(byte);
      case 'mouse':
        if (++this.#unkept === OLD_MOUSE) this.#end(UNKNOWN);
        return;
      case 'altText':
        return this.#altText(byte);
      case 'ground':
        this.#ground(Uint8Array.of(byte), 0);
    }
  }

  #afterEscape(byte: number): void {
    if (byte === ESC) {
      /* The one before was a key, or this is Alt with a sequence, as some terminals have it. */
      if (this.#alt) this.#keys.push(press('escape'));
      this.#alt = true;
      return;
    }
    this.#introducer = byte;
    if (byte === 0x5b) this.#state = 'csi';
    else if (byte === 0x4f) this.#state = 'ss3';
    else {
      if (this.#alt) this.#keys.push(press('escape'));
      this.#alt = false;
      if (stringStarts.has(byte)) this.#state = 'string';
      else if (byte >= 0x80) {
        this.#state = 'altText';
        this.#altText(byte);
      } else if (isControl(byte)) this.#end(pressControl(byte, true));
      else this.#end(pressCharacter(String.fromCharCode(byte), { alt: true }));
    }
  }

  #csi(byte: number): void {
    if (isControl(byte) || byte >= 0x80) return this.#abort(byte);
    const character = String.fromCharCode(byte);
    if (byte < 0x40) return this.#collect(character);
    if (this.#unkept > 0) return this.#end(UNKNOWN);
    const parameters = this.#sequence;
    if (parameters === '' && character === '[') this.#state = 'console';
    else if (parameters === '' && character === 'M') this.#state = 'mouse';
    else if (parameters === '200' && character === '~') {
      this.#toGround();
      this.#paste = new PasteReader();
    } else this.#end(csiKey(parameters, character, this.#alt));
  }

  #ss3(byte: number): void {
    if (isControl(byte) || byte >= 0x80) return this.#abort(byte);
    const character = String.fromCharCode(byte);
    if (/[\d;]/.test(character)) return this.#collect(character);
    this.#end(this.#unkept > 0 ? UNKNOWN : ss3Key(this.#sequence, character, this.#alt));
  }

  #collect(character: string): void {
    if (this.#sequence.length < SEQUENCE_MAX) this.#sequence += character;
    else this.#unkept++;
  }

  #string(byte: number): void {
    if (byte === ESC) this.#state = 'stringEscape';
    else if (byte === BEL) this.#end(UNKNOWN);
    else if (isControl(byte)) this.#abort(byte);
    else this.#unkept++;
  }

  #altText(byte: number): void {
    if (byte < 0x80) {
      this.#toGround();
      this.#endText();
      this.#step(byte);
      return;
    }
    const text = this.#utf8.decode(Uint8Array.of(byte), { stream: true });
    if (text === '') return;
    this.#toGround();
    const [first = '', ...others] = text;
    if (/[\u0080-\u009f\ufffd]/.test(first)) this.#text(text);
    else {
      this.#keys.push(pressCharacter(first, { alt: true }));
      this.#text(others.join(''));
    }
  }

  #end(key: Key): void {
    this.#keys.push(key);
    this.#toGround();
  }

  /** What came does not belong to the sequence, and counts for itself: no answer of a terminal eats an Enter. */
  #abort(byte: number): void {
    this.#end(UNKNOWN);
    this.#step(byte);
  }

  #toGround(): void {
    this.#state = 'ground';
    this.#sequence = '';
    this.#unkept = 0;
    this.#alt = false;
  }
}

function isControl(byte: number): boolean {
  return byte < 0x20 || byte === DEL;
}
