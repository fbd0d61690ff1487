"""A DNS server on loopback, over UDP and TCP, that answers as a case says, RFC 1035."""

import contextlib
import ipaddress
import socket
import struct
import threading

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "AAAA": 28}
FAILURES = {"FORMERR": 1, "SERVFAIL": 2, "NX": 3, "NOTIMP": 4, "REFUSED": 5}
SILENCE = "DROP"
# Longer answers are truncated over UDP.
MOST_OF_UDP = 1220
HEADER = struct.Struct(">HHHHHH")
RESPONSE, TRUNCATED = 0x8180, 0x0200


class Dns:
    def __init__(self, records, port=0):
        """`records` are lists of name, type and answer: values, or a word."""
        self.zone = {(name.lower(), kind): answer for name, kind, answer in records}
        for _ in range(20):  # the port has to be free twice
            self.udp, self.tcp = socket.socket(type=socket.SOCK_DGRAM), socket.socket()
            self.udp.bind(("127.0.0.1", port))
            self.port = self.udp.getsockname()[1]
            try:
                self.tcp.bind(("127.0.0.1", self.port))
                break
            except OSError:
                self.close()
        self.tcp.listen(16)
        for serve in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def close(self):
        for sock in (self.udp, self.tcp):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def serve_udp(self):
        with contextlib.suppress(OSError):
            while True:
                query, peer = self.udp.recvfrom(4096)
                if answer := self.answer(query, MOST_OF_UDP):
                    self.udp.sendto(answer, peer)

    def serve_tcp(self):
        with contextlib.suppress(OSError):
            while True:
                sock = self.tcp.accept()[0]
                threading.Thread(target=self.serve_stream, args=(sock,), daemon=True).start()

    def serve_stream(self, sock):
        with contextlib.suppress(OSError, struct.error), sock, sock.makefile("rb") as stream:
            sock.settimeout(5)
            while length := stream.read(2):
                if answer := self.answer(stream.read(struct.unpack(">H", length)[0]), 1 << 16):
                    sock.sendall(struct.pack(">H", len(answer)) + answer)

    def answer(self, query, most):
        """`None` for silence, and for what is no query."""
        try:
            name, kind, question = read_question(query)
        except (IndexError, struct.error):
            return None
        records = []
        while (name, kind) not in self.zone and (name, "CNAME") in self.zone and len(records) < 12:
            alias = self.zone[name, "CNAME"][0]
            records.append((name, "CNAME", alias))
            name = alias.strip(".").lower()
        found = self.zone.get((name, kind), [])
        if found == SILENCE:
            return None
        is_known = any(known == name for known, _ in self.zone)
        code = FAILURES[found] if isinstance(found, str) else 0 if is_known else FAILURES["NX"]
        values = [] if isinstance(found, str) else found
        records += [(name, kind, value) for value in values]
        # RFC 2308 §2: without an answer, the SOA says that there is none.
        authority = [] if values or code not in (0, FAILURES["NX"]) else [(parent(name), "SOA", None)]
        body = question + b"".join(write_record(*record) for record in records + authority)
        number = query[:2]
        if HEADER.size + len(body) > most:
            return number + HEADER.pack(0, RESPONSE | TRUNCATED, 1, 0, 0, 0)[2:] + question
        counts = (1, len(records), len(authority), 0)
        return number + HEADER.pack(0, RESPONSE | code, *counts)[2:] + body


def read_question(query):
    """The name in lower case, the type, and the bytes of the question."""
    labels, at = [], HEADER.size
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode("latin-1").lower())
        at += 1 + length
    number = struct.unpack(">H", query[at + 1 : at + 3])[0]
    kind = next((name for name, value in TYPES.items() if value == number), str(number))
    return ".".join(labels), kind, query[HEADER.size : at + 5]


def write_record(name, kind, value):
    if kind in ("A", "AAAA"):
        data = ipaddress.ip_address(value).packed
    elif kind == "SOA":
        data = write_name("ns.test") + write_name("hostmaster.test") + struct.pack(">IIIII", 1, 60, 60, 60, 5)
    else:
        data = write_name(value)
    return write_name(name) + struct.pack(">HHIH", TYPES[kind], 1, 5, len(data)) + data


def write_name(name):
    labels = [label.encode("latin-1") for label in name.strip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def parent(name):
    return name.partition(".")[2]
