"""The client of OPAQUE as SPEC 6.1 fixes it: what check_opaque lacks to register and to log in on its own."""

import unicodedata

from crypto import argon2id, draw  # first: it finds the check modules
from check_opaque import (
    BASE,
    D,
    L,
    P,
    SQRT_M1,
    _absolute,
    _add,
    _sqrt_ratio,
    decode,
    derive_secret_key,
    encode,
    expand,
    expand_message,
    finish_login,
    mac,
    multiply,
    oprf_output,
    sized,
)

ONE_MINUS_D_SQ = (1 - D * D) % P
D_MINUS_ONE_SQ = (D - 1) ** 2 % P
SQRT_AD_MINUS_ONE = 25063068953384623474111414158702152701244531502492656460079210482610430750235
HASH_TO_GROUP = b"HashToGroup-OPRFV1-\0-ristretto255-SHA512"


def _map(half):
    """MAP of RFC 9496, section 4.3.4."""
    t = int.from_bytes(half, "little") % 2**255
    r = SQRT_M1 * t * t % P
    u, v = (r + 1) * ONE_MINUS_D_SQ % P, (-1 - r * D) * (r + D) % P
    square, s = _sqrt_ratio(u, v)
    c = P - 1
    if not square:
        s, c = -_absolute(s * t), r
    n = (c * (r - 1) * D_MINUS_ONE_SQ - v) % P
    w0, w1, w2, w3 = 2 * s * v % P, n * SQRT_AD_MINUS_ONE % P, (1 - s * s) % P, (1 + s * s) % P
    return w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P


def hash_to_group(data):
    """HashToGroup of RFC 9497, section 4.1."""
    wide = expand_message(data, HASH_TO_GROUP, 64)
    return encode(_add(_map(wide[:32]), _map(wide[32:])))


def password_bytes(typed):
    """6.1: an empty one is not taken."""
    if not typed:
        raise ValueError("no password")
    return unicodedata.normalize("NFC", typed).encode()


def _scalar():
    return int.from_bytes(draw(64), "little") % L or 1


def _element(data):
    """An element from the daemon: canonical and not the identity (RFC 9497, section 2.1)."""
    decode(data)
    if not any(data):
        raise ValueError("the identity")
    return data


def blind(password):
    """Gives (blind[32], blinded element[32])."""
    scalar = _scalar()
    return scalar.to_bytes(32, "little"), multiply(scalar, hash_to_group(password))


def stretched_output(password, blinding, evaluated):
    """Gives the output of the OPRF and Stretch of it (6.1)."""
    output = oprf_output(password, blinding, _element(evaluated))
    return output, argon2id(output, bytes(16), 64)


def finish_registration(password, blinding, response):
    """Gives (record[192], export key[64]) from the registration response."""
    output, stretched = stretched_output(password, blinding, response[:32])
    server_public = _element(response[32:])
    randomized, nonce = mac(b"", output, stretched), draw(32)
    public = multiply(derive_secret_key(expand(randomized, nonce + b"PrivateKey", 32)), BASE)
    tag = mac(expand(randomized, nonce + b"AuthKey", 64), nonce, server_public, sized(server_public), sized(public))
    record = public + expand(randomized, b"MaskingKey", 64) + nonce + tag
    return record, expand(randomized, nonce + b"ExportKey", 64)


def start_login(password):
    """Gives the client's state: blind | KE1 | private share | nonce (6.1)."""
    blinding, blinded = blind(password)
    share, nonce = _scalar(), draw(32)
    ke1 = blinded + nonce + multiply(share, BASE)
    return blinding + ke1 + share.to_bytes(32, "little") + nonce


def ke1_of(state):
    return state[32:128]


def answer_login(password, state, ke2):
    """Gives (KE3, session key, export key); raises ValueError where the password does not open KE2."""
    output, stretched = stretched_output(password, state[:32], ke2[:32])
    _element(ke2[224:256])
    return finish_login(state, ke2, output, stretched)[:3]
