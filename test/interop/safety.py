"""The safety number and its words (SPEC 7.5)."""

from crypto import labelled_hash, sha256

ROUNDS, GROUPS = 5200, 6
WORDS_HASH = "1c73407ba88f3349d99284abbcf4bb52182d7d97eda0dabb4600a4c5d1c5e937"


def digest(uid, fingerprint):
    """D(5200)"""
    value = labelled_hash(b"safety", uid, fingerprint)
    for _ in range(ROUNDS):
        value = labelled_hash(b"safety", value, fingerprint)
    return value


def _digits(person):
    groups = digest(*person)[: 5 * GROUPS]
    numbers = (int.from_bytes(groups[at : at + 5], "big") for at in range(0, len(groups), 5))
    return "".join(f"{number % 100_000:05}" for number in numbers)


def safety_number(one, other):
    """60 digits; each person is (uid, fingerprint)."""
    return "".join(_digits(person) for person in sorted((one, other)))


def read_words(path):
    """The word list, if it is the one of version 1."""
    data = path.read_bytes()
    if sha256(data).hex() != WORDS_HASH:
        raise ValueError("another list of words")
    return data.decode("ascii").splitlines()


def safety_words(number, words):
    """18 words: three digits in base 2163 for each ten of the number."""
    base, out = len(words), []
    for at in range(0, len(number), 10):
        value = int(number[at : at + 10])
        out += [words[value // base**2], words[value // base % base], words[value % base]]
    return out
