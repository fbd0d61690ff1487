"""What `receive` bears: 50,000 messages over 100 connections, and 5,000 clients that say nothing. Run with `ci/clients/run --all`."""

import os
import re
import socket
import subprocess
import time
from collections import Counter

from checks import check, expect
from programs import Receive, environment

IDLE = 5000


def resident(server):
    """Octets of memory that are its own."""
    with open(f"/proc/{server.process.pid}/status") as status:
        return int(re.search(r"RssAnon:\s+(\d+) kB", status.read())[1]) * 1024


@check("load: 50,000 messages of 4 KiB by 100 connections at once are all stored, in memory that stays flat", limit=1200)
def fifty_thousand(work):
    with Receive(work, "--max-connections", "200") as server:
        command = ["smtp-source", "-s", "100", "-m", "50000", "-l", "4096", "-f", "a@test", "-t", "u@test", f"127.0.0.1:{server.port}"]
        start, samples, new = time.monotonic(), [], server.maildir / "new"
        with subprocess.Popen(command, env=environment(work)) as source:
            while source.poll() is None:
                time.sleep(1)
                samples.append(resident(server))
        seconds = time.monotonic() - start
        expect(source.returncode == 0, f"smtp-source ended with {source.returncode}")
        count = sum(1 for _ in os.scandir(new))
        expect(count == 50000, f"{count} stored")
        sizes = Counter(entry.stat().st_size // 64 for entry in os.scandir(new))
        expect(len(sizes) <= 3, f"sizes {sizes}")
        half = len(samples) // 2
        early, late = max(samples[: half or 1]), max(samples[half:])
        print(f"    {count / seconds:.0f} messages a second; {early / 1e6:.1f} MB at most in the first half, {late / 1e6:.1f} in the second")
        expect(late < early * 1.2 + 2e6, "memory grows")


def many(port, count):
    clients = []
    for _ in range(count):
        clients.append(socket.create_connection(("127.0.0.1", port), 10))
    return clients


def converse(clients, octets, code):
    for one in clients:
        one.sendall(octets)
    for one in clients:
        said = b""
        while not re.search(rb"(?m)^\d{3} [^\n]*\n\Z", said):
            piece = one.recv(4096)
            expect(piece, f"closed after {said!r}")
            said += piece
        expect(said.startswith(code), f"{said!r} for {code!r}")


@check("load: 5,000 connections that are idle take no more than 2 KB each", limit=300)
def idle(work):
    with Receive(work, "--max-connections", str(IDLE + 10), "--timeout", "600") as server:
        before = resident(server)
        clients = many(server.port, IDLE)
        converse(clients, b"", b"220")
        greeted = resident(server)
        converse(clients, b"EHLO client.test\r\n", b"250")
        ready = resident(server)
        # A message of 256 KiB each, a hundred at once.
        body = b"DATA\r\n", (b"x" * 78 + b"\r\n") * (256 * 1024 // 80) + b".\r\n"
        for start in range(0, IDLE, 100):
            part = clients[start : start + 100]
            for octets, code in ((b"MAIL FROM:<a@test>\r\n", b"250"), (b"RCPT TO:<u@test>\r\n", b"250"), (body[0], b"354"), (body[1], b"250")):
                converse(part, octets, code)
        after = resident(server)
        each = [(now - before) / IDLE for now in (greeted, ready, after)]
        print(f"    octets a connection: {each[0]:.0f} greeted, {each[1]:.0f} after EHLO, {each[2]:.0f} after 256 KiB each")
        for one in clients:
            one.close()
        expect(each[1] <= 2048, f"{each[1]:.0f} octets a connection")
