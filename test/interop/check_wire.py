"""Structs, from the tables of SPEC.md alone: nothing here knows the project's code."""

import hashlib
import re


def cells(line):
    return [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]


def read_field(row):
    _, length, name, kind = row
    numbers = [int(n) for n in re.findall(r"\d+", kind)]
    word = re.match(r"[a-z]+", kind).group()
    field = {"name": name, "length": int(length), "kind": word}
    if word == "u":
        field["max"] = numbers[1] if len(numbers) > 1 else None
        field["kind"] = "uint"
    elif word in ("data", "list"):
        field["max"] = numbers[0]
    return field


class Struct:
    def __init__(self, name):
        self.name, self.fields = name, []

    def describe(self, line):
        match = re.fullmatch(r"From the (client|daemon); opcode (.*?); step (.*?); (\d+) bytes\.", line)
        self.sender, opcode, step, size = match.groups()
        self.opcode = int(re.match(r"\d+", opcode).group()) if opcode[0].isdigit() else 0
        self.step = int(step) if step.isdigit() else 0
        self.size = int(size)

    def canonical(self):
        words = [self.name, self.sender, str(self.opcode), str(self.step), str(self.size)]
        return " ".join(words + [field_text(field) for field in self.fields]) + "\n"


def field_text(field):
    name, kind, length = field["name"], field["kind"], field["length"]
    if kind == "uint":
        limit = "" if field["max"] is None else f"<={field['max']}"
        return f"{name}:u{8 * length}{limit}"
    if kind == "bytes":
        return f"{name}:bytes{length}"
    if kind == "name":
        return f"{name}:name"
    if kind == "data":
        return f"{name}:data{field['max']}"
    return f"{name}:list{field['max']}({','.join(field_text(inner) for inner in field['of'])})"


class Spec:
    """All structs of section 10, the envelope's header, and the table hash that the text states."""

    def __init__(self, text):
        part = text.split("<!-- tables:begin -->")[1].split("<!-- tables:end -->")[0]
        self.structs, self.envelope = {}, []
        self.stated_hash = re.search(r"SHA-256 `([0-9a-f]{64})`", part).group(1)
        struct, into = None, None
        for line in part.splitlines():
            if line.startswith("#### "):
                struct = Struct(line.strip("# `"))
                self.structs[struct.name] = struct
            elif line.startswith("### "):
                struct, into = None, (self.envelope if "HDR" in line else None)
            elif line.startswith("From the "):
                struct.describe(line)
                into = struct.fields
            elif line.startswith("One row of "):
                name = line.split("`")[1]
                into = next(f for f in struct.fields if f["name"] == name).setdefault("of", [])
            elif line.startswith("| ") and into is not None and cells(line)[0].isdigit():
                row = cells(line)
                if row[2]:
                    into.append(read_field(row))

    def table_hash(self):
        text = "".join(struct.canonical() for struct in self.structs.values())
        return hashlib.sha256(text.encode()).hexdigest()


def encode_field(field, value):
    kind, length = field["kind"], field["length"]
    if kind == "uint":
        return value.to_bytes(length, "big")
    if kind == "name":
        return value.encode().ljust(length, b"\0")
    if kind == "list":
        rows = b"".join(encode_fields(field["of"], row) for row in value)
        return bytes([len(value)]) + rows.ljust(length - 1, b"\0")
    data = bytes.fromhex(value)
    return data if kind == "bytes" else len(data).to_bytes(2, "big") + data.ljust(length - 2, b"\0")


def encode_fields(fields, values):
    out = b"".join(encode_field(field, values[field["name"]]) for field in fields)
    assert len(out) == sum(field["length"] for field in fields)
    return out


def encode_struct(struct, header, values):
    out = bytes([1, header["step"]]) + header["opcode"].to_bytes(4, "big")
    out += bytes.fromhex(header["frameId"]) + header["time"].to_bytes(8, "big")
    if struct.sender == "daemon":
        out += bytes([header["status"]]) + header["code"].to_bytes(2, "big")
    return (out + encode_fields(struct.fields, values)).ljust(struct.size, b"\0")


CODES = (0, 101, 102, 103, 200, 202, 400, 401, 403, 404, 409, 413, 426, 429, 500, 503, 507)
NAME = re.compile(rb"[a-z][a-z0-9_]{2,31}\0*")


def field_problem(field, data):
    kind = field["kind"]
    if kind == "uint":
        highest = min(256 ** len(data) - 1, 2**53 - 1) if field["max"] is None else field["max"]
        return "range" if int.from_bytes(data, "big") > highest else None
    if kind == "name":
        name, _, rest = data.partition(b"\0")
        if not NAME.fullmatch(name):
            return "name"
        return "padding" if any(rest) else None
    if kind == "data":
        length = int.from_bytes(data[:2], "big")
        if length > field["max"]:
            return "range"
        return "padding" if any(data[2 + length :]) else None
    if kind == "list":
        size, count = sum(inner["length"] for inner in field["of"]), data[0]
        if count > field["max"]:
            return "range"
        for i in range(count):
            problem = fields_problem(field["of"], data[1 + i * size :])
            if problem:
                return problem
        return "padding" if any(data[1 + count * size :]) else None
    return None


def fields_problem(fields, data):
    at = 0
    for field in fields:
        problem = field_problem(field, data[at : at + field["length"]])
        if problem:
            return problem
        at += field["length"]
    return None


def struct_problem(struct, data):
    """The first reason to refuse, in the order of SPEC 3.5."""
    if len(data) != struct.size:
        return "length"
    if data[0] != 1:
        return "version"
    if struct.opcode and (int.from_bytes(data[2:6], "big") != struct.opcode or data[1] != struct.step):
        return "opcode"
    if int.from_bytes(data[22:30], "big") > 2**53 - 1:
        return "range"
    daemon = struct.sender == "daemon"
    if daemon and (data[30] > 3 or int.from_bytes(data[31:33], "big") not in CODES):
        return "status"
    header = 33 if daemon else 30
    end = header + sum(field["length"] for field in struct.fields)
    return fields_problem(struct.fields, data[header:]) or ("padding" if any(data[end:]) else None)
