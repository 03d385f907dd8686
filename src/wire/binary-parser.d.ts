/* The package's own typings can't be reached through its "exports" from an ES module; this is what we use of it. */
declare module 'binary-parser' {
  export class Parser {
    endianness(order: 'big'): this;
    uint8(name: string): this;
    uint16(name: string): this;
    uint32(name: string): this;
    uint64(name: string, options?: { formatter: (value: unknown) => unknown }): this;
    buffer(name: string, options: { length: number | string; formatter?: (value: unknown) => unknown }): this;
    /** Passes over as many bytes as this says; `this` is what was read so far. */
    seek(length: (this: Readonly<Record<string, number>>) => number): this;
    nest(name: string, options: { type: Parser; formatter?: (value: unknown) => unknown }): this;
    array(name: string, options: { type: Parser; length: string }): this;
    parse(bytes: Uint8Array): unknown;
  }
}
