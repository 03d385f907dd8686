/** As much of ristretto255 (RFC 9496) as the client of an OPRF needs, in plain integers. Slow; for vectors alone. */
const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

const mod = (a: bigint): bigint => ((a % P) + P) % P;
function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let [result, square] = [1n, base % modulus];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}
const D = mod(-121665n * power(121666n, P - 2n, P));
const SQRT_M1 = power(2n, (P - 1n) / 4n, P);
const negative = (a: bigint): boolean => (mod(a) & 1n) === 1n;
const absolute = (a: bigint): bigint => (negative(a) ? mod(-a) : mod(a));

/** RFC 9496 section 4.2 */
function sqrtRatio(u: bigint, v: bigint): readonly [isSquare: boolean, root: bigint] {
  const v3 = mod(v * v * v);
  const root = mod(u * v3 * power(mod(u * v3 * v3 * v), (P - 5n) / 8n, P));
  const checked = mod(v * root * root);
  const flipped = checked === mod(-u) || checked === mod(-u * SQRT_M1);
  return [checked === mod(u) || checked === mod(-u), absolute(flipped ? root * SQRT_M1 : root)];
}
const [, INVSQRT_A_MINUS_D] = sqrtRatio(1n, mod(-1n - D));

interface Point {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
  readonly t: bigint;
}

const little = (bytes: Uint8Array): bigint => bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);

function decode(bytes: Uint8Array): Point {
  const s = little(bytes);
  if (bytes.length !== 32 || s >= P || negative(s)) throw new RangeError('no canonical element');
  const [u1, u2] = [mod(1n - s * s), mod(1n + s * s)];
  const v = mod(-D * u1 * u1 - u2 * u2);
  const [isSquare, root] = sqrtRatio(1n, mod(v * u2 * u2));
  const denominator = mod(root * u2);
  const x = absolute(2n * s * denominator);
  const y = mod(u1 * root * denominator * v);
  const t = mod(x * y);
  if (!isSquare || negative(t) || y === 0n) throw new RangeError('no element');
  return { x, y, z: 1n, t };
}

function encode({ x, y, z, t }: Point): Uint8Array {
  const [u1, u2] = [mod((z + y) * (z - y)), mod(x * y)];
  const [, root] = sqrtRatio(1n, mod(u1 * u2 * u2));
  const [one, two] = [mod(root * u1), mod(root * u2)];
  const inverse = mod(one * two * t);
  const rotate = negative(t * inverse);
  const [rx, ry] = rotate ? [mod(y * SQRT_M1), mod(x * SQRT_M1)] : [x, y];
  const denominator = rotate ? mod(one * INVSQRT_A_MINUS_D) : two;
  const s = absolute(denominator * (z - (negative(rx * inverse) ? -ry : ry)));
  return Uint8Array.from({ length: 32 }, (_, i) => Number((s >> BigInt(8 * i)) & 255n));
}

function add(p: Point, q: Point): Point {
  const [a, b] = [mod((p.y - p.x) * (q.y - q.x)), mod((p.y + p.x) * (q.y + q.x))];
  const [c, d] = [mod(2n * D * p.t * q.t), mod(2n * p.z * q.z)];
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return { x: mod(e * f), y: mod(g * h), z: mod(f * g), t: mod(e * h) };
}

/** The evaluated element without its blind: (1 / blind) · element (RFC 9497 section 3.3.1). */
export function unblind(blind: Uint8Array, element: Uint8Array): Uint8Array {
  let sum: Point = { x: 0n, y: 1n, z: 1n, t: 0n };
  let doubled = decode(element);
  for (let rest = power(little(blind), L - 2n, L); rest > 0n; rest >>= 1n) {
    if (rest & 1n) sum = add(sum, doubled);
    doubled = add(doubled, doubled);
  }
  return encode(sum);
}
