"""ML-KEM-768 (FIPS 203) in plain integers: key generation from a seed, encapsulation, decapsulation."""

import hashlib

N, Q, K, ETA, DU, DV = 256, 3329, 3, 2, 10, 4


def _reversed_bits(value):
    return int(format(value, "07b")[::-1], 2)


ZETAS = [pow(17, _reversed_bits(i), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * _reversed_bits(i) + 1, Q) for i in range(128)]


def ntt(poly):
    f, i, length = list(poly), 1, 128
    while length >= 2:
        for start in range(0, N, 2 * length):
            for j in range(start, start + length):
                t = ZETAS[i] * f[j + length] % Q
                f[j + length], f[j] = (f[j] - t) % Q, (f[j] + t) % Q
            i += 1
        length //= 2
    return f


def inverse_ntt(poly):
    f, i, length = list(poly), 127, 2
    while length <= 128:
        for start in range(0, N, 2 * length):
            for j in range(start, start + length):
                t = f[j]
                f[j], f[j + length] = (t + f[j + length]) % Q, ZETAS[i] * (f[j + length] - t) % Q
            i -= 1
        length *= 2
    return [x * 3303 % Q for x in f]


def multiply(a, b):
    out = []
    for i in range(128):
        a0, a1, b0, b1 = a[2 * i], a[2 * i + 1], b[2 * i], b[2 * i + 1]
        out += [(a0 * b0 + a1 * b1 * GAMMAS[i]) % Q, (a0 * b1 + a1 * b0) % Q]
    return out


def add(*polys):
    return [sum(column) % Q for column in zip(*polys)]


def to_bytes(poly, d):
    number = sum(x << (d * i) for i, x in enumerate(poly))
    return number.to_bytes(32 * d, "little")


def from_bytes(data, d):
    number = int.from_bytes(data, "little")
    return [(number >> (d * i)) & ((1 << d) - 1) for i in range(N)]


def compress(poly, d):
    return [((x << d) + Q // 2) // Q % (1 << d) for x in poly]


def decompress(poly, d):
    return [(x * Q + (1 << (d - 1))) >> d for x in poly]


def sample_uniform(seed):
    stream, out, i = hashlib.shake_128(seed).digest(3 * 700), [], 0
    while len(out) < N:
        a, b, c = stream[i : i + 3]
        i += 3
        for value in (a + 256 * (b % 16), b // 16 + 16 * c):
            if value < Q and len(out) < N:
                out.append(value)
    return out


def sample_noise(secret, nonce):
    bits = int.from_bytes(hashlib.shake_256(secret + bytes([nonce])).digest(64 * ETA), "little")
    bit = lambda i: (bits >> i) & 1
    return [(bit(4 * i) + bit(4 * i + 1) - bit(4 * i + 2) - bit(4 * i + 3)) % Q for i in range(N)]


def matrix(rho):
    return [[sample_uniform(rho + bytes([j, i])) for j in range(K)] for i in range(K)]


def key_pair(seed):
    """seed: d | z. Gives (encapsulation key, decapsulation key)."""
    d, z = seed[:32], seed[32:]
    g = hashlib.sha3_512(d + bytes([K])).digest()
    rho, sigma = g[:32], g[32:]
    a = matrix(rho)
    s = [ntt(sample_noise(sigma, i)) for i in range(K)]
    e = [ntt(sample_noise(sigma, K + i)) for i in range(K)]
    t = [add(e[i], *[multiply(a[i][j], s[j]) for j in range(K)]) for i in range(K)]
    ek = b"".join(to_bytes(poly, 12) for poly in t) + rho
    dk = b"".join(to_bytes(poly, 12) for poly in s)
    return ek, dk + ek + hashlib.sha3_256(ek).digest() + z


def is_key(ek):
    """The modulus check of FIPS 203, section 7.2."""
    return len(ek) == 1184 and all(x < Q for i in range(K) for x in from_bytes(ek[384 * i : 384 * (i + 1)], 12))


def _encrypt(ek, message, randomness):
    t = [from_bytes(ek[384 * i : 384 * (i + 1)], 12) for i in range(K)]
    a = matrix(ek[384 * K :])
    y = [ntt(sample_noise(randomness, i)) for i in range(K)]
    e1 = [sample_noise(randomness, K + i) for i in range(K)]
    e2 = sample_noise(randomness, 2 * K)
    u = [add(inverse_ntt(add(*[multiply(a[j][i], y[j]) for j in range(K)])), e1[i]) for i in range(K)]
    mu = decompress(from_bytes(message, 1), 1)
    v = add(inverse_ntt(add(*[multiply(t[i], y[i]) for i in range(K)])), e2, mu)
    return b"".join(to_bytes(compress(poly, DU), DU) for poly in u) + to_bytes(compress(v, DV), DV)


def encapsulate(ek, message):
    """Gives (shared secret, ciphertext)."""
    g = hashlib.sha3_512(message + hashlib.sha3_256(ek).digest()).digest()
    return g[:32], _encrypt(ek, message, g[32:])


def decapsulate(dk, ciphertext):
    s, ek = dk[: 384 * K], dk[384 * K : 768 * K + 32]
    h, z = dk[768 * K + 32 : 768 * K + 64], dk[768 * K + 64 :]
    u = [decompress(from_bytes(ciphertext[320 * i : 320 * (i + 1)], DU), DU) for i in range(K)]
    v = decompress(from_bytes(ciphertext[320 * K :], DV), DV)
    product = add(*[multiply(from_bytes(s[384 * i : 384 * (i + 1)], 12), ntt(u[i])) for i in range(K)])
    w = [(a - b) % Q for a, b in zip(v, inverse_ntt(product))]
    message = to_bytes(compress(w, 1), 1)
    g = hashlib.sha3_512(message + h).digest()
    if _encrypt(ek, message, g[32:]) == ciphertext:
        return g[:32]
    return hashlib.shake_256(z + ciphertext).digest(32)
