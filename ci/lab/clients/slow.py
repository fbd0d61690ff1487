"""Slow peers by the hundred: `receive` serves others as if they were not there, and them to the end."""

import contextlib
import socket
import threading
import time

from lab import messages
from lab.checks import check, expect
from lab.clients.calls import Dropping
from lab.clients.idle import allow_files, converse
from lab.wire import Session

EACH = 100
MESSAGES = 200
# Replies to a reader: far more than the buffers of a socket hold that is as small as its own.
ROUNDS, RECIPIENTS = 12, 1000
BATCH = b"MAIL FROM:<a@test>\r\n" + b"RCPT TO:<u@test>\r\n" * RECIPIENTS + b"RSET\r\n"


def connect(port):
    return socket.create_connection(("127.0.0.1", port), 20)


def reader(port):
    """Asks for much and has little room for it."""
    one = socket.socket()
    one.settimeout(20)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    one.connect(("127.0.0.1", port))
    return one


class Drip(threading.Thread):
    """A byte a second to each writer, and one from each reader."""

    def __init__(self, writers, readers):
        super().__init__(daemon=True)
        self.writers, self.readers = writers, readers
        self.said, self.heard, self.over = 0, 0, threading.Event()

    def run(self):
        while not self.over.wait(1):
            for one, data in self.writers:
                one.sendall(data[self.said : self.said + 1])
            self.said += 1
            for one in self.readers:
                self.heard += len(one.recv(1))

    def end(self):
        self.over.set()
        self.join()


def pace(port, seconds):
    """Seconds a message for clients one after the other that send 200 each, until the time is over."""
    start, count = time.monotonic(), 0
    while count == 0 or time.monotonic() < start + seconds:
        with Session(port) as session:
            session.command("EHLO client.test", 250)
            for _ in range(MESSAGES):
                session.open(greet=False)
                session.data(messages.PLAIN)
            session.quit()
        count += MESSAGES
    return (time.monotonic() - start) / count


@check(
    "200 clients that write a byte a second and 200 that read one starve nobody, and are served to the end",
    limit=120,
)
def slow_peers(work):
    allow_files(8 * EACH + 200)
    with contextlib.ExitStack() as stack:
        limits = ("--max-connections", "1000", "--max-per-address", "1000", "--min-rate", "0")
        server = stack.enter_context(Dropping(work, *limits, "--timeout", "100"))
        alone = pace(server.port, 2)

        def opened(how):
            clients = [stack.enter_context(contextlib.closing(how(server.port))) for _ in range(EACH)]
            converse(clients, b"", b"220")
            return clients

        commands, contents, readers = opened(connect), opened(connect), opened(reader) + opened(reader)
        for line, code in (
            (b"EHLO client.test", b"250"),
            (b"MAIL FROM:<a@test>", b"250"),
            (b"RCPT TO:<u@test>", b"250"),
            (b"DATA", b"354"),
        ):
            converse(contents, line + b"\r\n", code)
        for one in readers:
            one.sendall(b"HELO client.test\r\n" + BATCH * ROUNDS)
        command, content = b"EHLO client.test\r\n", messages.PLAIN + b".\r\n"
        drip = Drip([(one, command) for one in commands] + [(one, content) for one in contents], readers)
        drip.start()
        beside = pace(server.port, 5)
        drip.end()
        # The disk has no part in it: it is as slow as others make it.
        print(
            f"    {alone * 1e3:.2f} ms a message alone, {beside * 1e3:.2f} beside slow peers, which have said {drip.said} bytes each"
        )
        expect(
            drip.said >= 3 and drip.heard >= 3 * len(readers), f"{drip.said} bytes said, {drip.heard} heard"
        )
        expect(beside < 20 * alone, f"{beside * 1e3:.2f} ms a message in place of {alone * 1e3:.2f}")
        converse(commands, command[drip.said :], b"250")
        converse(contents, content[drip.said :], b"250")
        replies = 1 + ROUNDS * (RECIPIENTS + 2)
        for one in readers:
            lines = hear(one, replies)
            expect(lines == replies, f"{lines} replies in place of {replies}")


def hear(one, most):
    lines = 0
    while lines < most and (data := one.recv(65536)):
        lines += data.count(b"\n")
    return lines
