"""Keys that are refused (SPEC 6.4, steps 1 to 6)."""

import math

SMALL_PRIMES = [p for p in range(2, 4096) if all(p % q for q in range(2, math.isqrt(p) + 1))]
ODD_PRODUCT = math.prod(SMALL_PRIMES[1:])
POWERS = {p: {pow(65537, e, p) for e in range(p - 1)} for p in SMALL_PRIMES if 2 < p <= 167}


def is_square(number):
    return math.isqrt(number) ** 2 == number


def modulus_problem(n):
    """1 to 5"""
    if n >> 2047 != 1:
        return "bits"
    if n % 2 == 0:
        return "even"
    if math.gcd(n, ODD_PRODUCT) != 1:
        return "divisible"
    if all(n % p in powers for p, powers in POWERS.items()):
        return "roca"
    root = math.isqrt(n)
    if is_square(n) or any(is_square(a * a - n) for a in range(root + 1, root + 101)):
        return "close"
    return None


def key_problem(enc, sig):
    """The first step that refuses both moduli, or None."""
    one, other = int.from_bytes(enc, "big"), int.from_bytes(sig, "big")
    shared = None if math.gcd(one, other) == 1 else "shared"
    return modulus_problem(one) or modulus_problem(other) or shared
