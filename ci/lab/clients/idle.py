"""What 5,000 clients cost `receive` that are connected and say nothing."""

import os
import re
import resource
import socket

from lab.checks import check, expect, wait_until
from lab.programs import Receive

IDLE = 5000
# Of its own: not what is read from files, and may be read again.
MOST = 2048


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
            ready = (resident(server) - before) / IDLE
            # A hundred at once.
            content = (b"x" * 78 + b"\r\n") * (256 * 1024 // 80) + b".\r\n"
            for start in range(0, IDLE, 100):
                part = clients[start : start + 100]
                for data, code in (
                    (b"MAIL FROM:<a@test>\r\n", b"250"),
                    (b"RCPT TO:<u@test>\r\n", b"250"),
                    (b"DATA\r\n", b"354"),
                    (content, b"250"),
                ):
                    converse(part, data, code)
            after = (resident(server) - before) / IDLE
            stored = sum(1 for _ in (server.maildir / "new").iterdir())
        finally:
            for one in clients:
                one.close()
        wait_until(
            lambda: open_files(server) < 100, 20, "connections that their clients have closed stay open"
        )
        print(f"    bytes a connection: {ready:.0f} after EHLO, {after:.0f} after 256 KiB each")
        expect(stored == IDLE, f"{stored} messages stored")
        expect(ready <= MOST, f"{ready:.0f} bytes a connection after EHLO")
        expect(after <= MOST, f"{after:.0f} bytes a connection after 256 KiB each")


def open_files(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))
