"""Structs: the opcode table, encoding and decoding (SPEC 3 and 10)."""

import re
import time
from dataclasses import dataclass, field

from crypto import Refused, draw, sha256

# The canonical text of 3.7; its hash is the table hash of 10.5.
TABLE = """\
helo client 100010 0 1720 build:u32 software:bytes16 table:bytes32 x25519:bytes32 mlkem:bytes1184
crea1 client 100001 1 1776 name:name enc:bytes256 sig:bytes256 opaque:bytes32 invitation:data16
crea2 client 100001 2 1776 mac:bytes32 signature:bytes256 record:bytes192 words:bytes32 fullName:data96 email:data254
crea3 client 100001 3 1776 code:data8
auth1 client 100002 1 1776 name:name signature:bytes256 ke1:bytes96
auth2 client 100002 2 1776 ke3:bytes64
pass client 100003 0 1776 words:bytes32 factor:u8<=4 code:data32
crms client 100004 0 1776 kind:u8<=1 nonce:bytes32 salt:bytes16 auth:bytes32 wrapSalt:bytes32 commitment:bytes32 wrapped:bytes48 block:bytes256 name:name epoch:u32 previous:bytes32 owner:bytes16 list:bytes32 key:bytes32 signer:bytes16 time:u64 signature:bytes256 mac:bytes32
jrms1 client 100005 1 1776 name:name
jrms2 client 100005 2 1776 room:bytes16 auth:bytes32
jrms3 client 100005 3 1776 room:bytes16 epoch:u32 auth:bytes32 block:bytes256 time:u64 mac:bytes32 signature:bytes256
srms client 100006 0 1776 room:bytes16 epoch:u32 sender:bytes16 message:bytes16 sequence:u64 time:u64 previous:bytes32 part:u16 parts:u16 salt:bytes32 sealed:bytes1298
jmpu client 100007 0 1776 to:name uid:bytes16 name:name enc:bytes256 sig:bytes256 time:u64 suite:u8 signature:bytes256
ampu client 100008 0 1776 to:bytes16 request:bytes32 uid:bytes16 name:name enc:bytes256 sig:bytes256 time:u64 suite:u8 signature:bytes256
smpu client 100009 0 1776 envelope:bytes1736
ackd client 100011 0 1776 ids:list64(id:bytes16)
keyq client 100012 0 1776 name:name
dmpu client 100013 0 1776 to:bytes16 request:bytes32
bloc client 100014 0 1776 uid:bytes16
quit client 100015 0 1776
inrm client 100016 0 1776 room:bytes16 invitee:bytes16 epoch:u32 expires:u64 head:bytes32 block:bytes256 invitation:bytes256
dcrm client 100017 0 1776 room:bytes16
lvrm client 100018 0 1776 room:bytes16
dlrm client 100019 0 1776 room:bytes16
rtrm1 client 100020 1 1776 room:bytes16 epoch:u32 from:u16 blocks:list6(uid:bytes16,block:bytes256)
rtrm2 client 100020 2 1776 room:bytes16 version:u64 renewed:u8<=1 salt:bytes16 auth:bytes32 wrapSalt:bytes32 commitment:bytes32 wrapped:bytes48 name:name epoch:u32 previous:bytes32 owner:bytes16 list:bytes32 key:bytes32 signer:bytes16 time:u64 signature:bytes256 mac:bytes32 removed:list32(uid:bytes16)
strm client 100021 0 1776 room:bytes16
mbrm client 100022 0 1776 room:bytes16 index:u16
mcod client 100023 0 1776 words:bytes32
fact1 client 100024 1 1776 kind:u8<=2 words:bytes32 factor:u8<=4 code:data32 email:data254
fact2 client 100024 2 1776 code:data8
rcod client 100025 0 1776 words:bytes32 factor:u8<=4 code:data32
acct client 100026 0 1776
rvok client 100027 0 1776 session:bytes16
pswd1 client 100028 1 1776 opaque:bytes32
pswd2 client 100028 2 1776 words:bytes32 factor:u8<=4 code:data32 record:bytes192 newWords:bytes32
rkey1 client 100029 1 1776 enc:bytes256 sig:bytes256
rkey2 client 100029 2 1776 words:bytes32 factor:u8<=4 code:data32 mac:bytes32 time:u64 suite:u8 signature:bytes256 former:bytes256
rcov1 client 100030 1 1776 name:name code:bytes10 enc:bytes256 sig:bytes256 ke1:bytes96
rcov2 client 100030 2 1776 ke3:bytes64 mac:bytes32 words:bytes32 time:u64 suite:u8 signature:bytes256
dlac client 100031 0 1776 words:bytes32 factor:u8<=4 code:data32
ack daemon 100010 0 2000 x25519:bytes32 mlkem:bytes1088 challenge:bytes32 session:bytes16 window:u16
answer daemon 0 0 1776 wait:u32
crea1Answer daemon 100001 1 1776 uid:bytes16 block:bytes256 opaque:bytes64
auth1Answer daemon 100002 1 1776 block:bytes256 ke2:bytes320
auth2Answer daemon 100002 2 1776 factor:u8<=2
passAnswer daemon 100003 0 1776 grant:bytes32 ends:u64
jrms1Answer daemon 100005 1 1776 room:bytes16 salt:bytes16
jrms2Answer daemon 100005 2 1776 epoch:u32 wrapSalt:bytes32 commitment:bytes32 wrapped:bytes48
keyqAnswer daemon 100012 0 1776 uid:bytes16 name:name enc:bytes256 sig:bytes256
strmAnswer daemon 100021 0 1776 room:bytes16 version:u64 kind:u8<=1 closed:u8<=1 behind:u8<=1 rows:u16 kept:u16 block:bytes256 name:name epoch:u32 previous:bytes32 owner:bytes16 list:bytes32 key:bytes32 signer:bytes16 time:u64 signature:bytes256 mac:bytes32
mbrmAnswer daemon 100022 0 1776 room:bytes16 version:u64 index:u16 state:u8<=3 online:u8<=1 epoch:u32 fingerprint:bytes32 uid:bytes16 name:name enc:bytes256 sig:bytes256 time:u64 inviter:bytes16 invitedEpoch:u32 expires:u64 bound:bytes32 invitation:bytes256 mac:bytes32 signature:bytes256
fact1Answer daemon 100024 1 1776 secret:data20
fact2Answer daemon 100024 2 1776 codes:list10(code:bytes10)
rcodAnswer daemon 100025 0 1776 codes:list10(code:bytes10)
acctAnswer daemon 100026 0 1776 factor:u8<=2 codes:u8<=10 created:u64 fullName:data96 email:data254 current:bytes16 sessions:list16(id:bytes16,ends:u64)
pswd1Answer daemon 100028 1 1776 opaque:bytes64
rkey1Answer daemon 100029 1 1776 block:bytes256
rcov1Answer daemon 100030 1 1776 uid:bytes16 block:bytes256 ke2:bytes320
cnnt daemon 10001 0 1776 uid:bytes16 name:name queued:u32
rvum daemon 10002 0 1776 envelope:bytes1736
rvrm daemon 10003 0 1776 room:bytes16 epoch:u32 sender:bytes16 message:bytes16 sequence:u64 time:u64 previous:bytes32 part:u16 parts:u16 salt:bytes32 sealed:bytes1298
dlvd daemon 10004 0 1776 message:bytes16 recipient:bytes16 at:u64
drnd daemon 10005 0 1776 delivered:u32
rjmp daemon 10006 0 1776 to:name uid:bytes16 name:name enc:bytes256 sig:bytes256 time:u64 suite:u8 signature:bytes256
ramp daemon 10007 0 1776 to:bytes16 request:bytes32 uid:bytes16 name:name enc:bytes256 sig:bytes256 time:u64 suite:u8 signature:bytes256
rdmp daemon 10008 0 1776 from:bytes16 name:name request:bytes32
ansr daemon 10009 0 1776 answers:list50(opcode:u32,step:u8,frame:bytes16,status:u8<=3,code:u16<=999)
clos daemon 10010 0 1776
ivrm daemon 10011 0 1776 room:bytes16 name:name kind:u8<=1 inviter:bytes16 epoch:u32 expires:u64 head:bytes32 block:bytes256 invitation:bytes256
enrm daemon 10012 0 1776 room:bytes16 version:u64 epoch:u32 uid:bytes16 name:name enc:bytes256 sig:bytes256 time:u64 inviter:bytes16 invitedEpoch:u32 expires:u64 bound:bytes32 invitation:bytes256 mac:bytes32 signature:bytes256
lfrm daemon 10013 0 1776 room:bytes16 version:u64 uid:bytes16 what:u8<=4
chrm daemon 10014 0 1776 room:bytes16 version:u64 renewed:u8<=1 block:bytes256 name:name epoch:u32 previous:bytes32 owner:bytes16 list:bytes32 key:bytes32 signer:bytes16 time:u64 signature:bytes256 mac:bytes32 removed:list32(uid:bytes16)
ofrm daemon 10015 0 1776 name:name secret:bytes32
chky daemon 10016 0 1776 uid:bytes16 name:name enc:bytes256 sig:bytes256 time:u64 suite:u8 signature:bytes256 former:bytes256
"""

TABLE_HASH = sha256(TABLE.encode())
MAX_INTEGER = 2**53
DATA_STRUCT = 1776
NAME = re.compile(rb"[a-z][a-z0-9_]{2,31}")
CODES = {0, 101, 102, 103, 200, 202, 400, 401, 403, 404, 409, 413, 426, 429, 500, 503, 507}


@dataclass
class Layout:
    """One line of the table."""

    name: str
    side: str
    opcode: int
    step: int
    size: int
    fields: list

    @property
    def header(self):
        """3.3: status and code are in the daemon's structs alone."""
        return 33 if self.side == "daemon" else 30


@dataclass
class Struct:
    """A struct as its receiver sees it."""

    name: str
    opcode: int
    step: int
    frame_id: bytes
    time: int
    values: dict
    status: int = 0
    code: int = 0
    raw: bytes = field(default=b"", repr=False)

    def __getitem__(self, key):
        return self.values[key]

    @property
    def fields(self):
        """7.1: the bytes without header and padding."""
        layout = LAYOUTS[self.name]
        return self.raw[layout.header : layout.header + sum(length(kind) for _, kind in layout.fields)]


def _parse_kind(word):
    """A field's word of 3.7 as a tuple: kind, then what belongs to it."""
    if match := re.fullmatch(r"u(8|16|32|64)(?:<=(\d+))?", word):
        size = int(match[1]) // 8
        return "uint", size, int(match[2] or min(2 ** (8 * size), MAX_INTEGER) - 1)
    if match := re.fullmatch(r"(bytes|data)(\d+)", word):
        return match[1], int(match[2])
    if match := re.fullmatch(r"list(\d+)\((.*)\)", word):
        return "list", int(match[1]), [_parse_field(part) for part in match[2].split(",")]
    return (word,)


def _parse_field(word):
    name, kind = word.split(":", 1)
    return name, _parse_kind(kind)


def _parse_table():
    for line in TABLE.splitlines():
        name, side, opcode, step, size, *fields = line.split(" ")
        yield Layout(name, side, int(opcode), int(step), int(size), [_parse_field(word) for word in fields])


LAYOUTS = {layout.name: layout for layout in _parse_table()}
FROM_DAEMON = {(layout.opcode, layout.step): layout for layout in LAYOUTS.values() if layout.side == "daemon"}
COMMANDS = {(layout.opcode, layout.step) for layout in LAYOUTS.values() if layout.side == "client"}


def length(kind):
    """3.2: every field has one length."""
    if kind[0] in ("uint", "bytes"):
        return kind[1]
    if kind[0] == "name":
        return 32
    if kind[0] == "data":
        return 2 + kind[1]
    return 1 + kind[1] * sum(length(inner) for _, inner in kind[2])


def _encode_field(kind, value):
    if kind[0] == "uint":
        return value.to_bytes(kind[1], "big")
    if kind[0] == "bytes":
        assert len(value) == kind[1]
        return value
    if kind[0] == "name":
        return value.encode("ascii").ljust(32, b"\0")
    if kind[0] == "data":
        return (len(value).to_bytes(2, "big") + value).ljust(length(kind), b"\0")
    rows = b"".join(_encode_field(inner, row[name]) for row in value for name, inner in kind[2])
    return (bytes([len(value)]) + rows).ljust(length(kind), b"\0")


def encode_fields(name, values):
    """The fields of a layout as bytes; `values` may lack those at its end (a signature's input, 7.1)."""
    return b"".join(_encode_field(kind, values[key]) for key, kind in LAYOUTS[name].fields if key in values)


def encode(name, values, frame_id=None, now=None, status=0, code=0, opcode=None, step=None):
    """A whole struct; opcode and step are of the layout except in `answer`."""
    layout = LAYOUTS[name]
    opcode, step = layout.opcode if opcode is None else opcode, layout.step if step is None else step
    header = bytes([1, step]) + opcode.to_bytes(4, "big") + (frame_id or draw(16))
    header += (clock() if now is None else now).to_bytes(8, "big")
    if layout.side == "daemon":
        header += bytes([status]) + code.to_bytes(2, "big")
    return (header + encode_fields(name, values)).ljust(layout.size, b"\0")


def clock():
    """Milliseconds since 1970 (1.2)."""
    return time.time_ns() // 1_000_000


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        self.at += count
        return self.data[self.at - count : self.at]

    def uint(self, size, highest=MAX_INTEGER - 1):
        value = int.from_bytes(self.take(size), "big")
        if value > highest:
            raise Refused("range")
        return value

    def zeros(self, count):
        if any(self.take(count)):
            raise Refused("padding")

    def field(self, kind):
        if kind[0] == "uint":
            return self.uint(kind[1], kind[2])
        if kind[0] == "bytes":
            return self.take(kind[1])
        end = self.at + length(kind)
        if kind[0] == "name":
            value = self.take(32).split(b"\0")[0]
            if not NAME.fullmatch(value):
                raise Refused("name")
            self.at = end - 32 + len(value)
            value = value.decode("ascii")
        elif kind[0] == "data":
            value = self.take(self.uint(2, kind[1]))
        else:
            count = self.uint(1, kind[1])
            value = [{name: self.field(inner) for name, inner in kind[2]} for _ in range(count)]
        self.zeros(end - self.at)
        return value


def decode(layout, data):
    """3.5: gives a Struct or raises Refused with the step."""
    if len(data) != layout.size:
        raise Refused("length")
    reader = _Reader(data)
    if reader.uint(1) != 1:
        raise Refused("version")
    step, opcode = reader.uint(1), reader.uint(4)
    if layout.name != "answer" and (opcode, step) != (layout.opcode, layout.step):
        raise Refused("opcode")
    frame_id, at = reader.take(16), reader.uint(8)
    status = code = 0
    if layout.side == "daemon":
        status, code = reader.uint(1), reader.uint(2)
        if status > 3 or code not in CODES:
            raise Refused("status")
    values = {name: reader.field(kind) for name, kind in layout.fields}
    reader.zeros(layout.size - reader.at)
    return Struct(layout.name, opcode, step, frame_id, at, values, status, code, bytes(data))


def layout_from_daemon(data):
    """3.4, 3.5: which layout a DATA struct of the daemon has; it is refused where there is none."""
    if len(data) != DATA_STRUCT:
        raise Refused("length")
    step, opcode, status = data[1], int.from_bytes(data[2:6], "big"), data[30]
    own = FROM_DAEMON.get((opcode, step))
    if status == 2:
        return LAYOUTS["answer"]
    if own and own.name != "ack":
        return own
    if (opcode, step) not in COMMANDS:
        raise Refused("opcode")
    return LAYOUTS["answer"]


def decode_from_daemon(data):
    return decode(layout_from_daemon(data), data)
