"""The client of OPAQUE (RFC 9807, ristretto255-SHA512, 3DH) as SPEC 6.1 fixes it; ristretto255 by RFC 9496."""

import hashlib
import hmac

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
BASE = bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76")


def _absolute(a):
    a %= P
    return P - a if a & 1 else a


def _sqrt_ratio(u, v):
    root = u * v**3 * pow(u * v**7, (P - 5) // 8, P) % P
    check = v * root * root % P
    if check in (-u % P, -u * SQRT_M1 % P):
        root = root * SQRT_M1 % P
    return check in (u % P, -u % P), _absolute(root)


INVSQRT_A_MINUS_D = _sqrt_ratio(1, (-1 - D) % P)[1]


def decode(data):
    s = int.from_bytes(data, "little")
    if len(data) != 32 or s >= P or s & 1:
        raise ValueError("no canonical element")
    u1, u2 = (1 - s * s) % P, (1 + s * s) % P
    v = (-D * u1 * u1 - u2 * u2) % P
    square, root = _sqrt_ratio(1, v * u2 * u2 % P)
    den = root * u2 % P
    x, y = _absolute(2 * s * den), u1 * root * den * v % P
    t = x * y % P
    if not square or t & 1 or y == 0:
        raise ValueError("no element")
    return x, y, 1, t


def encode(point):
    x, y, z, t = point
    u1, u2 = (z + y) * (z - y) % P, x * y % P
    root = _sqrt_ratio(1, u1 * u2 * u2 % P)[1]
    one, two = root * u1 % P, root * u2 % P
    inverse = one * two * t % P
    den = two
    if t * inverse % P & 1:
        x, y, den = y * SQRT_M1 % P, x * SQRT_M1 % P, one * INVSQRT_A_MINUS_D % P
    if x * inverse % P & 1:
        y = -y
    return _absolute(den * (z - y)).to_bytes(32, "little")


def _add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0])
    c, d = 2 * D * p[3] * q[3], 2 * p[2] * q[2]
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar, element):
    total, doubled = (0, 1, 1, 0), decode(element)
    while scalar:
        if scalar & 1:
            total = _add(total, doubled)
        doubled, scalar = _add(doubled, doubled), scalar >> 1
    return encode(total)


def sha512(*parts):
    return hashlib.sha512(b"".join(parts)).digest()


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha512).digest()


def expand(key, info, length):
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = mac(key, block, info, bytes([counter]))
        out, counter = out + block, counter + 1
    return out[:length]


def sized(data):
    return len(data).to_bytes(2, "big") + data


def expand_message(message, dst, length):
    """expand_message_xmd of RFC 9380 with SHA-512."""
    prime = dst + bytes([len(dst)])
    first = sha512(bytes(128), message, length.to_bytes(2, "big"), b"\0", prime)
    blocks = [sha512(first, b"\1", prime)]
    while 64 * len(blocks) < length:
        mixed = bytes(a ^ b for a, b in zip(first, blocks[-1]))
        blocks.append(sha512(mixed, bytes([len(blocks) + 1]), prime))
    return b"".join(blocks)[:length]


def derive_secret_key(seed):
    """DeriveDiffieHellmanKeyPair of RFC 9807, section 2.1."""
    info = b"OPAQUE-DeriveDiffieHellmanKeyPair"
    dst = b"DeriveKeyPair" + b"OPRFV1-\0-ristretto255-SHA512"
    for counter in range(256):
        wide = expand_message(seed + sized(info) + bytes([counter]), dst, 64)
        scalar = int.from_bytes(wide, "little") % L
        if scalar:
            return scalar
    raise ValueError("no key")


def derive_secret(secret, label, context):
    label = b"OPAQUE-" + label
    info = (64).to_bytes(2, "big") + bytes([len(label)]) + label + bytes([len(context)]) + context
    return expand(secret, info, 64)


def oprf_output(password, blind, evaluated):
    inverse = pow(int.from_bytes(blind, "little"), L - 2, L)
    return sha512(sized(password), sized(multiply(inverse, evaluated)), b"Finalize")


def open_envelope(randomized, masking_nonce, masked):
    """Gives (server's public key, client's secret key, export key)."""
    masking_key = expand(randomized, b"MaskingKey", 64)
    pad = expand(masking_key, masking_nonce + b"CredentialResponsePad", 128)
    plain = bytes(a ^ b for a, b in zip(masked, pad))
    server_public, nonce, tag = plain[:32], plain[32:64], plain[64:]
    auth_key = expand(randomized, nonce + b"AuthKey", 64)
    secret = derive_secret_key(expand(randomized, nonce + b"PrivateKey", 32))
    public = multiply(secret, BASE)
    if mac(auth_key, nonce, server_public, sized(server_public), sized(public)) != tag:
        raise ValueError("the envelope's tag differs")
    record = public + masking_key + nonce + tag
    return server_public, secret, expand(randomized, nonce + b"ExportKey", 64), record


def finish_login(state, ke2, oprf, stretched):
    """state: blind | KE1 | secret key share | nonce. Gives (KE3, session key, export key, record)."""
    ke1, share = state[32:128], int.from_bytes(state[128:160], "little")
    server_nonce, server_share, server_mac = ke2[192:224], ke2[224:256], ke2[256:]
    randomized = mac(b"", oprf, stretched)
    server_public, secret, export_key, record = open_envelope(randomized, ke2[32:64], ke2[64:192])
    public = multiply(secret, BASE)
    ikm = multiply(share, server_share) + multiply(share, server_public) + multiply(secret, server_share)
    preamble = b"OPAQUEv1-" + sized(b"") + sized(public) + ke1 + sized(server_public) + ke2[:256]
    prk = mac(b"", ikm)
    handshake = derive_secret(prk, b"HandshakeSecret", sha512(preamble))
    if mac(derive_secret(handshake, b"ServerMAC", b""), sha512(preamble)) != server_mac:
        raise ValueError("the server's MAC differs")
    ke3 = mac(derive_secret(handshake, b"ClientMAC", b""), sha512(preamble, server_mac))
    return ke3, derive_secret(prk, b"SessionKey", sha512(preamble)), export_key, record
