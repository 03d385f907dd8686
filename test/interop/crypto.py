"""The primitives of SPEC 1.3 to 1.5 that a client uses, beside those of check_crypto."""

import base64
import functools
import hashlib
import hmac
import json
import os

import argon2.low_level
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from check_crypto import (  # noqa: F401
    LABEL,
    ZERO_NONCE,
    Refused,
    hkdf,
    oaep_open,
    private_key,
    pss_verify,
    public_key,
    sha256,
    unseal,
    x25519_public,
    x25519_shared,
)



def draw(length):
    return os.urandom(length)


def labelled_hash(label, *parts):
    """H over a label of 1.4 and what is behind it."""
    return sha256(LABEL + label, *parts)


def hmac_sha256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def seal(key, aad, plain, nonce=ZERO_NONCE):
    return AESGCM(key).encrypt(nonce, plain, aad)


def keystream(key, counter_block):
    """The outer layer's CTR (1.3): a context whose `update` goes on where it stopped."""
    return Cipher(algorithms.AES(key), modes.CTR(counter_block)).encryptor()


def oaep_seal(modulus, label, message):
    """OAEP of 1.5."""
    scheme = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), LABEL + label)
    return public_key(modulus).encrypt(message, scheme)


def oaep_open_32(key, label, block):
    """Opens a block that has to hold 32 bytes, as every block of the protocol does."""
    secret = oaep_open(key, label, block)
    if len(secret) != 32:
        raise Refused("block")
    return secret


def pss_sign(key, label, message):
    """PSS of 1.5."""
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return key.sign(LABEL + label + message, scheme, hashes.SHA256())


_kept = []


def keep_rsa_keys(path):
    """Takes pairs from a file first, for a test of many people: PKCS#8 in base64, a list in JSON. None comes twice."""
    _kept.extend(json.loads(path.read_text()))


def new_rsa_key():
    """A pair; 6.4 is for both of an account together."""
    if _kept:
        return serialization.load_der_private_key(base64.b64decode(_kept.pop()), None)
    return rsa.generate_private_key(65537, 2048)


def modulus_of(key):
    return key.public_key().public_numbers().n.to_bytes(256, "big")


def pkcs8(key):
    encoding, form = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption())


@functools.cache
def argon2id(secret, salt, length=32):
    """Argon2id of 6.1: 65,536 KiB, 3 passes, 1 lane. The same people log in again and again: remembered."""
    kind = argon2.low_level.Type.ID
    return argon2.low_level.hash_secret_raw(secret, salt, 3, 65536, 1, length, kind, 0x13)
