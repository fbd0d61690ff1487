"""What 5,000 clients cost `receive` that are connected and say nothing."""

import os
import re
import resource
import socket
import time

from lab.checks import check, expect, wait_until
from lab.programs import Receive
from lab.servers.certificate import Certificate

IDLE = 5000
# Of its own: not what is read from files, and may be read again.
MOST = 2048
# What the allocator keeps of the buffers of a hundred messages at once, however many connections there are:
# the first messages, on a part of the connections, tell it from what a connection keeps.
FEW = 1000
KEPT = 10 * 2**20


def resident(server):
    """Bytes of memory that are its own."""
    with open(f"/proc/{server.process.pid}/status") as status:
        return int(re.search(r"RssAnon:\s+(\d+) kB", status.read())[1]) * 1024


def allow_files(count):
    """This process, and what it starts from now on, may have so many open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft != unlimited and soft < count:
        most = hard if hard == unlimited else max(hard, count)
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, most))


def converse(clients, data, code):
    """All say the same, and each gets one reply."""
    for one in clients:
        one.sendall(data)
    for one in clients:
        said = b""
        while not re.search(rb"(?m)^\d{3} [^\n]*\n\Z", said):
            piece = one.recv(4096)
            expect(piece, f"closed after {said!r}")
            said += piece
        expect(said.startswith(code), f"{said!r} for {code!r}")


@check(
    "5,000 idle connections take no more than 2 KiB of memory each, and no more after a message of 256 KiB on each",
    limit=180,
)
def idle(work):
    allow_files(IDLE + 100)
    limits = ("--max-connections", str(IDLE + 10), "--max-per-address", str(IDLE + 10))
    with Receive(work, *limits, "--timeout", "600") as server:
        before = resident(server)
        clients = [socket.create_connection(("127.0.0.1", server.port), 30) for _ in range(IDLE)]
        try:
            converse(clients, b"", b"220")
            converse(clients, b"EHLO client.test\r\n", b"250")
            ready = resident(server) - before
            deliver(clients[:FEW])
            few = resident(server) - before
            deliver(clients[FEW:])
            after = resident(server) - before
            stored = sum(1 for _ in (server.maildir / "new").iterdir())
        finally:
            for one in clients:
                one.close()
        wait_until(
            lambda: open_files(server) < 100, 20, "connections that their clients have closed stay open"
        )
        each = ready / IDLE
        kept = max(few - ready, 0)
        grown = each + max(after - few, 0) / (IDLE - FEW)
        print(f"    bytes a connection: {each:.0f} after EHLO, {grown:.0f} after 256 KiB each")
        print(f"    the allocator keeps {kept / 2**20:.1f} MiB for the next messages")
        expect(stored == IDLE, f"{stored} messages stored")
        expect(each <= MOST, f"{each:.0f} bytes a connection after EHLO")
        expect(grown <= MOST, f"{grown:.0f} bytes a connection after 256 KiB each")
        expect(kept <= KEPT, f"{kept} bytes are kept")


def deliver(clients):
    """Each of the clients delivers 256 KiB, a hundred at once."""
    content = (b"x" * 78 + b"\r\n") * (256 * 1024 // 80) + b".\r\n"
    for start in range(0, len(clients), 100):
        part = clients[start : start + 100]
        for data, code in (
            (b"MAIL FROM:<a@test>\r\n", b"250"),
            (b"RCPT TO:<u@test>\r\n", b"250"),
            (b"DATA\r\n", b"354"),
            (content, b"250"),
        ):
            converse(part, data, code)


@check(
    "a connection with a part of a command takes no more than 4 KiB of memory, and one in a TLS handshake no more than 12 KiB",
    limit=120,
)
def waiting(work):
    allow_files(IDLE + 100)
    certificate = Certificate(work / "tls")
    limits = ("--max-connections", str(FEW + 10), "--max-per-address", str(FEW + 10))
    files = ("--cert", certificate.chain, "--key", certificate.key)
    with Receive(work, *limits, *files, "--timeout", "600") as server:
        # What the first connections bring about stays.
        first = socket.create_connection(("127.0.0.1", server.port), 30)
        converse([first], b"", b"220")
        before = resident(server)
        clients = [socket.create_connection(("127.0.0.1", server.port), 30) for _ in range(FEW)]
        try:
            converse(clients, b"", b"220")
            converse(clients, b"EHLO client.test\r\n", b"250")
            for one in clients:
                one.sendall(b"MAIL FROM:<")
            part = settled(server, before) / FEW
            for one in clients:
                one.sendall(b">\r\n")
            converse(clients, b"", b"250")
            converse(clients, b"RSET\r\n", b"250")
            converse(clients, b"STARTTLS\r\n", b"220")
            silent = settled(server, before) / FEW
        finally:
            for one in (first, *clients):
                one.close()
        print(f"    bytes a connection: {part:.0f} with a part of a command, {silent:.0f} in a handshake")
        expect(part <= 4096, f"{part:.0f} bytes a connection with a part of a command")
        expect(silent <= 12288, f"{silent:.0f} bytes a connection in a handshake")


def settled(server, before):
    """The memory that has been added, when it changes no more."""
    last, now = -1, resident(server)
    while now != last:
        time.sleep(0.5)
        last, now = now, resident(server)
    return now - before


def open_files(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))
