"""Requests to talk and their acceptance: bundles, signatures, request hash (SPEC 7.1)."""

from account import fingerprint
from crypto import Refused, labelled_hash, pss_sign, pss_verify
from structs import clock, encode_fields
from weak_keys import key_problem

SUITE = 1


def _bundle(account, layout, label, head):
    enc, sig = account.moduli
    own = {"uid": account.uid, "name": account.name, "enc": enc, "sig": sig}
    values = {**head, **own, "time": clock(), "suite": SUITE}
    values["signature"] = pss_sign(account.sig, label, encode_fields(layout, values))
    return values


def make_request(account, name):
    """Gives (values of `jmpu`, request hash)."""
    values = _bundle(account, "jmpu", b"request", {"to": name})
    return values, request_hash(encode_fields("jmpu", values))


def make_acceptance(account, asker, request):
    """The values of `ampu`."""
    return _bundle(account, "ampu", b"accept", {"to": asker, "request": request})


def request_hash(fields):
    return labelled_hash(b"request hash", fields)


def _check_bundle(account, struct, label, addressed):
    """7.1, in its order; `addressed` tells whether the bundle is for this account."""
    if struct["suite"] != SUITE:
        raise Refused("suite")
    if struct["name"] == account.name or struct["uid"] == account.uid:
        raise Refused("name")
    if not addressed:
        raise Refused("to")
    check_keys_and_signature(struct, label)


def check_keys_and_signature(struct, label):
    """6.4 and the signature: what the vectors of 7.1 name `modulus` and `signature`."""
    if key_problem(struct["enc"], struct["sig"]):
        raise Refused("modulus")
    pss_verify(struct["sig"], label, struct.fields[:-256], struct["signature"])


def check_request(account, struct):
    """What a client checks of `rjmp`; gives the request hash."""
    _check_bundle(account, struct, b"request", struct["to"] == account.name)
    return request_hash(struct.fields)


def check_acceptance(account, struct, own_requests):
    """What a client checks of `ramp`; `own_requests` are the hashes of its requests to that name."""
    addressed = struct["to"] == account.uid and struct["request"] in own_requests
    _check_bundle(account, struct, b"accept", addressed)


def keys_of(struct):
    """The fingerprint of a bundle's keys."""
    return fingerprint(struct["enc"], struct["sig"])
