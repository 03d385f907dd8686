/** What a terminal sends between `ESC [200~` and `ESC [201~`: text, and never keys. */

/** Bytes of a paste that are kept; what is beyond them is left out. */
export const PASTE_MAX = 1 << 20;

const END = [0x1b, 0x5b, 0x32, 0x30, 0x31, 0x7e];
const ESC = 0x1b;

export class PasteReader {
  #bytes = new Uint8Array(4096);
  #length = 0;
  #matched = 0;

  /**
   * Takes bytes up to the end of the paste.
   * @returns how many it took, and the text where the paste is at its end
   */
  read(bytes: Uint8Array): { readonly taken: number; readonly text?: string } {
    for (const [index, byte] of bytes.entries()) {
      if (byte === END[this.#matched]) {
        if (++this.#matched === END.length) return { taken: index + 1, text: this.text() };
        continue;
      }
      for (let i = 0; i < this.#matched; i++) this.#keep(END[i] ?? 0);
      this.#matched = byte === ESC ? 1 : 0;
      if (byte !== ESC) this.#keep(byte);
    }
    return { taken: bytes.length };
  }

  /** One more than the limit is kept, by which it is known that there was more. */
  #keep(byte: number): void {
    if (this.#length > PASTE_MAX) return;
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length++] = byte;
  }

  /** What came so far. */
  text(): string {
    const cut = this.#length > PASTE_MAX;
    const kept = this.#bytes.subarray(0, Math.min(this.#length, PASTE_MAX));
    /* As a stream: half a character at the cut is left out. */
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(kept, { stream: cut });
    // eslint-disable-next-line no-control-regex -- finding control characters is the purpose
    return text.replace(/\r\n?/g, '\n').replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');
  }
}
