"""The vectors that concern a client (SPEC 11), against this library. `hello` is the daemon's side and is left out."""

import json
from pathlib import Path

import account
import bundles
import envelopes
import opaque
import safety
import structs
from crypto import Refused, hkdf, private_key, pss_verify, sha256
from frames import Receiver
from handshake import Agreed, Generation, Handshake, Linked, UpgradeNeeded

raw = bytes.fromhex


def same(actual, expected, what):
    actual = actual.hex() if isinstance(actual, bytes) else actual
    if actual != expected:
        raise AssertionError(f"{what} differs")


def _bytes_by_layout(layout, values):
    """The hexadecimal values of a vector as the layout's kinds have them."""

    def value(kind, given):
        if kind[0] == "list":
            return [{name: value(inner, row[name]) for name, inner in kind[2]} for row in given]
        return raw(given) if kind[0] in ("bytes", "data") else given

    return {name: value(kind, values[name]) for name, kind in structs.LAYOUTS[layout].fields}


def check_struct(vector):
    given = raw(vector["bytes"])
    struct = structs.decode(structs.LAYOUTS[vector["struct"]], given)
    header = vector["header"]
    values = _bytes_by_layout(struct.name, vector["values"])
    if values != struct.values:
        raise AssertionError("the values differ")
    made = structs.encode(
        struct.name,
        values,
        raw(header["frameId"]),
        header["time"],
        header.get("status", 0),
        header.get("code", 0),
        header["opcode"],
        header["step"],
    )
    same(made, vector["bytes"], "the encoding")


def _handshake(vector):
    network, client = vector["network"], vector["client"]
    modulus, software, table = raw(network["serverModulus"]), raw(client["software"]), raw(client["table"])
    generation, binding = Generation(1, raw(network["networkKey"]), modulus), vector["binding"]
    linked = Linked([generation], [], client["build"], software, table)
    handshake = Handshake(linked, generation, binding["transport"], raw(binding["exporter"]))
    handshake.cr, handshake.s1, handshake.frame_id = raw(client["cr"]), raw(client["s1"]), raw(client["frameId"])
    handshake.x25519, handshake.mlkem_seed = raw(client["x25519Private"]), raw(client["mlkemSeed"])
    handshake.hello()
    handshake.bind(raw(vector["hello"]))  # OAEP draws, so the vector's HELLO is the one
    return handshake


def check_handshake(vector):
    keys, handshake = vector["keys"], _handshake(vector)
    same(handshake.th0, keys["th0"], "th0")
    same(handshake.ck1, keys["ck1"], "ck1")
    agreed = handshake.finish(raw(vector["ack"]))
    same(agreed.th2, keys["th2"], "th2")
    same(agreed.ck2, keys["ck2"], "ck2")


def check_ack(vector):
    try:
        _handshake(vector).finish(raw(vector["ack"]))
    except UpgradeNeeded as error:
        raise Refused("upgrade") from error


class _Frames:
    """Both directions of a vector as their receivers see them, with a clock that the vector sets."""

    def __init__(self, vector):
        self.elapsed = 0
        agreed = Agreed(raw(vector["ck2"]), raw(vector["th2"]), raw(vector["b1"]), None)
        clock = lambda: self.elapsed / 1000
        self.client = Receiver(b"c2s", agreed, agreed.b1, clock)
        self.daemon = Receiver(b"s2c", agreed, bytes(256), clock)
        self.agreed = agreed

    def switch(self, vector, th3):
        ck3 = hkdf(raw(vector["s2"]) + raw(vector["opaqueSessionKey"]), self.agreed.ck2, b"ck3" + th3)
        self.client.switch(ck3, th3, self.agreed.b1)
        self.daemon.switch(ck3, th3, raw(vector["b2"]))
        return ck3

    def open(self, side, frame, elapsed=0):
        self.elapsed = elapsed
        receiver = getattr(self, side)
        struct = receiver.open(raw(frame))
        receiver.handled()
        return struct

    def open_all(self, frames):
        for frame in frames:
            same(self.open(frame["from"], frame["frame"], frame.get("elapsed", 0)), frame["struct"], "a struct")


def check_data(vector):
    frames = _Frames(vector)
    frames.open_all(vector["frames"])
    if "frame" in vector:
        frames.open("client", vector["frame"])


def check_login(vector):
    frames = _Frames(vector)
    frames.open_all(vector["before"])
    th3 = sha256(frames.agreed.th2, *[raw(frame["struct"]) for frame in vector["before"]])
    same(th3, vector["keys"]["th3"], "th3")
    same(frames.switch(vector, th3), vector["keys"]["ck3"], "ck3")
    frames.open_all(vector["after"])


def check_epochs(vector):
    frames = _Frames(vector)
    frames.client.private = private_key(vector["serverPrivate"])
    frames.daemon.private = private_key(vector["encPrivate"])
    frames.switch(vector, raw(vector["th3"]))
    frames.open_all(vector["frames"])
    if "frame" in vector:
        frames.open("client", vector["frame"], vector["elapsed"])


def check_opaque(vector):
    password, state = opaque.password_bytes(vector["password"]), raw(vector["login"]["state"])
    blind = int.from_bytes(state[:32], "little")
    same(opaque.multiply(blind, opaque.hash_to_group(password)), vector["login"]["ke1"][:64], "the blinded element")
    ke3, session, export = opaque.answer_login(password, state, raw(vector["login"]["ke2"]))
    same(ke3, vector["login"]["ke3"], "KE3")
    same(session, vector["login"]["sessionKey"], "the session key")
    same(export, vector["login"]["exportKey"], "the export key")


def check_account(vector):
    th2, name = raw(vector["th2"]), vector["name"].encode()
    counted, enc, sig = bytes([len(name)]) + name, raw(vector["enc"]), raw(vector["sig"])
    pss_verify(sig, b"login", th2 + counted + raw(vector["ke1"]), raw(vector["loginSignature"]))
    pss_verify(sig, b"keys", th2 + counted + enc + sig, raw(vector["keysSignature"]))
    same(account.canonical_words(vector["typedWords"]), vector["canonicalWords"], "the words")
    same(hkdf(raw(vector["exportKey"]), raw(vector["w"]), b"words"), vector["wordsProof"], "the words proof")
    same(sha256(raw(vector["wordsProof"])), vector["wordsHash"], "its hash")
    same(account.fingerprint(enc, sig), vector["fingerprint"], "the fingerprint")
    conversation = envelopes.conversation_id(raw(vector["uid"]), raw(vector["otherUid"]))
    same(conversation, vector["conversation"], "the conversation")


def _event(name, vector):
    values = _bytes_by_layout(name, vector["values"])
    struct = structs.decode_from_daemon(structs.encode(name, values))
    same(struct.fields, vector["fields"], "the fields")
    return struct


def check_request(vector):
    struct = _event("rjmp", vector)
    bundles.check_keys_and_signature(struct, b"request")
    same(bundles.request_hash(struct.fields), vector["requestHash"], "the request hash")


def check_acceptance(vector):
    bundles.check_keys_and_signature(_event("ramp", vector), b"accept")


def check_envelope(vector):
    who = vector["who"]
    correspondents = envelopes.Correspondents(
        raw(who["sender"]),
        raw(who["recipient"]),
        raw(who["senderKeys"]),
        raw(who["recipientKeys"]),
        raw(who["senderSig"]),
        private_key(who["recipientEncPrivate"]),
    )
    header, text = envelopes.open_envelope(raw(vector["envelope"]), correspondents)
    same(text, vector["bytes"] if "bytes" in vector else vector["text"].encode().hex(), "the text")
    if "frame" in vector:
        same(envelopes.frame_id_of(header["message"], header["part"]), vector["frame"], "the frame id")
    same(envelopes.encode_header(header), vector["envelope"][: 2 * envelopes.HEADER], "the header")


def check_safety(vector):
    people = [(raw(vector[who]["uid"]), raw(vector[who]["fingerprint"])) for who in "ab"]
    same(safety.digest(*min(people)), vector["lowDigest"], "D(5200)")
    same(safety.safety_number(*people), vector["number"], "the number")


def check_safety_words(folder, words):
    """7.5: the words of every `safety` vector; gives how many."""
    paths = sorted(Path(folder).glob("safety*.json"))
    for vector in (json.loads(path.read_text()) for path in paths):
        same(" ".join(safety.safety_words(vector["number"], words)), vector["words"], "the words")
    return len(paths)


def check_folder(folder):
    """Runs every vector of a kind that is known here; gives how many."""
    count = 0
    for path in sorted(Path(folder).glob("*.json")):
        vector = json.loads(path.read_text())
        check = globals().get(f"check_{vector['kind']}")
        if check is None:
            continue
        try:
            check(vector)
            outcome = None
        except Refused as refused:
            outcome = str(refused)
        except AssertionError as error:
            raise AssertionError(f"{path.name}: {error}") from error
        if outcome != vector.get("step"):
            raise AssertionError(f"{path.name}: refused by {outcome}, expected {vector.get('step')}")
        count += 1
    return count
