"""The primitives of SPEC 1.3 to 1.5 over Debian's `cryptography`, each refusing with the step that its caller names."""

import hashlib

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

LABEL = b"cadenas/1 "
ZERO_NONCE = bytes(12)


class Refused(Exception):
    """The step at which a vector's input is refused."""


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def hkdf(ikm, salt, info, length=32):
    return HKDF(hashes.SHA256(), length, salt, LABEL + info).derive(ikm)


def unseal(key, aad, sealed, step, nonce=ZERO_NONCE):
    try:
        return AESGCM(key).decrypt(nonce, sealed, aad)
    except InvalidTag as error:
        raise Refused(step) from error


def private_key(der):
    return serialization.load_der_private_key(bytes.fromhex(der), None)


def public_key(modulus):
    return rsa.RSAPublicNumbers(65537, int.from_bytes(modulus, "big")).public_key()



def oaep_open(key, label, block, step="block"):
    scheme = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), LABEL + label)
    try:
        return key.decrypt(block, scheme)
    except ValueError as error:
        raise Refused(step) from error


def pss_verify(modulus, label, message, signature, step="signature"):
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    try:
        public_key(modulus).verify(signature, LABEL + label + message, scheme, hashes.SHA256())
    except InvalidSignature as error:
        raise Refused(step) from error


def raw(vector, *names):
    return [bytes.fromhex(vector[name]) for name in names]


def same(what, actual, expected):
    if isinstance(actual, bytes):
        actual = actual.hex()
    if actual != expected:
        raise AssertionError(f"{what} differs")


def x25519_shared(private, peer):
    try:
        return x25519.X25519PrivateKey.from_private_bytes(private).exchange(x25519.X25519PublicKey.from_public_bytes(peer))
    except ValueError as error:
        raise Refused("agreement") from error


def x25519_public(private):
    key = x25519.X25519PrivateKey.from_private_bytes(private).public_key()
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
