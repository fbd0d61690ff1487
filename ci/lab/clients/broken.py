"""`receive` is killed while clients deliver: what it has answered for is on the disk, and whole."""

import hashlib
import signal
import threading
import time

from lab import maildir
from lab.checks import check, expect
from lab.programs import Receive
from lab.wire import Session


class Sender(threading.Thread):
    """Sends numbered letters over one connection, and notes which of them were answered with 250."""

    def __init__(self, port, number, chunked):
        super().__init__(daemon=True)
        self.port, self.number, self.chunked = port, number, chunked
        self.begun, self.accepted = 0, []

    def run(self):
        try:
            with Session(self.port) as session:
                session.command("EHLO client.test", 250)
                while True:
                    self.one_letter(session)
        except (AssertionError, OSError):
            return  # the server is gone

    def one_letter(self, session):
        self.begun += 1
        content = letter(self.number, self.begun)
        envelope = b"MAIL FROM:<a@test>\r\nRCPT TO:<u@test>\r\n"
        if self.chunked:
            session.send(envelope + b"BDAT %d LAST\r\n" % len(content) + content)
            codes = (250, 250)
        else:
            session.send(envelope + b"DATA\r\n")
            codes = (250, 250, 354)
        for code in codes:
            session.expect(code)
        if not self.chunked:
            session.send(content + b".\r\n")
        session.expect(250)
        self.accepted.append((self.number, self.begun))


def letter(sender, number):
    """Content that says whether it is whole; sizes go from a line to more than is written to disk at once."""
    lines = (number * 37 + sender) % 1500
    body = b"".join(b"%d %d %d\r\n" % (sender, number, line) + b"x" * 60 + b"\r\n" for line in range(lines))
    head = b"Subject: %d %d\r\n\r\n" % (sender, number)
    return head + body + hashlib.sha256(head + body).hexdigest().encode() + b"\r\n"


@check(
    "receive is killed while twelve clients deliver: each message it has answered for is stored, and none is half, {when}",
    limit=60,
    when=("soon", "later"),
)
def killed(work, when):
    server = Receive(work)
    server.__enter__()
    try:
        senders = [Sender(server.port, number, number % 2) for number in range(12)]
        for sender in senders:
            sender.start()
        enough = 25 if when == "soon" else 400
        wait(lambda: sum(len(sender.accepted) for sender in senders) >= enough)
        server.process.send_signal(signal.SIGKILL)
        for sender in senders:
            sender.join(20)
            expect(not sender.is_alive(), "a client still waits")
        expect(server.wait() == -signal.SIGKILL, "it ended by itself")
        stored = {}
        for message in maildir.stored(server.maildir):
            content = message.content
            digest = hashlib.sha256(content[:-66]).hexdigest().encode()
            expect(content[-66:] == digest + b"\r\n", f"half a message: {content[-100:]!r}")
            sender, number = content.split(b"\r\n", 1)[0].split()[1:]
            key = (int(sender), int(number))
            expect(key not in stored, f"{key} is there twice")
            stored[key] = content
        accepted = {key for sender in senders for key in sender.accepted}
        expect(len(accepted) >= enough, f"{len(accepted)} accepted")
        lost = accepted - stored.keys()
        expect(not lost, f"accepted and lost: {sorted(lost)[:5]}")
        # More may be stored than was heard of: the last answer of each client was on its way.
        surplus = stored.keys() - accepted
        expect(len(surplus) <= len(senders), f"{len(surplus)} stored that nobody has sent")
    finally:
        server.end()


def wait(condition):
    while not condition():
        time.sleep(0.005)
