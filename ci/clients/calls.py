"""How often `receive` calls the system for a message of 1 KiB on a connection that is kept open, as strace counts.

Each of four turns of a lock-step client is a wait, a read and a write: 12 calls. What the runtime and the log need now and
then is in the count too, so that it is rounded to a whole number.
"""

import os
import signal
import subprocess
from collections import Counter

from checks import check, expect, wait_until
from programs import Receive, environment
from wire import Session

MESSAGES = 500
CONTENT = b"Subject: x\r\n\r\n" + (b"x" * 62 + b"\r\n") * 16
ENVELOPE = b"MAIL FROM:<a@test>\r\nRCPT TO:<u@test>\r\nDATA\r\n"


class Counting:
    """Counts the calls of a server while the `with` block runs."""

    def __init__(self, work, server):
        self.output, self.server = work / "calls", server
        command = ["strace", "-f", "-c", "-o", self.output, "-p", str(server.process.pid)]
        self.strace = subprocess.Popen(command, env=environment(work), stderr=subprocess.PIPE)

    def __enter__(self):
        wait_until(self._attached, 10, "strace does not attach")
        return self

    def _attached(self):
        expect(self.strace.poll() is None, "strace has ended")
        tasks = f"/proc/{self.server.process.pid}/task"
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/status") as status:
                if f"TracerPid:\t{self.strace.pid}\n" not in status:
                    return False
        return True

    def __exit__(self, *_):
        self.strace.send_signal(signal.SIGINT)
        self.strace.communicate(timeout=10)

    def each(self):
        """Calls a message, by name."""
        calls = Counter()
        for line in self.output.read_text().splitlines():
            fields = line.split()
            if len(fields) in (5, 6) and fields[3].isdigit() and fields[-1] != "total":
                calls[fields[-1]] = int(fields[3]) / MESSAGES
        return calls


def in_step(session, count):
    for _ in range(count):
        session.open(greet=False)
        session.data(CONTENT)


def behind_the_dot(session, count):
    """RFC 2920 §3.1: with the content comes the next envelope."""
    session.send(ENVELOPE)
    codes = (250, 250, 354)
    for _ in range(count):
        for code in codes:
            session.expect(code)
        session.send(CONTENT + b".\r\n" + ENVELOPE)
        session.expect(250)
    for code in codes:
        session.expect(code)
    session.data(CONTENT)


def count(work, server, talk):
    with server, Session(server.port) as session:
        session.command("EHLO client.test", 250)
        talk(session, 20)
        with Counting(work, server) as counting:
            talk(session, MESSAGES)
        session.quit()
    calls = counting.each()
    shown = ", ".join(f"{name} {each:.2f}" for name, each in calls.most_common() if each >= 0.05)
    print(f"    {sum(calls.values()):.2f} calls a message: {shown}")
    return calls


class Dropping(Receive):
    """Takes messages and keeps none."""

    def __init__(self, work, *flags):
        super().__init__(work, *flags)
        at = self.command.index("--maildir")
        del self.command[at : at + 2]


@check("a message in four turns costs receive no more than 12 calls of the system", limit=60)
def four_turns(work):
    calls = count(work, Dropping(work), in_step)
    expect(round(sum(calls.values())) <= 12, f"{sum(calls.values()):.2f} calls a message")


@check("a message with the next envelope behind its dot costs receive no more than 3 calls of the system", limit=60)
def one_turn(work):
    calls = count(work, Dropping(work), behind_the_dot)
    expect(round(sum(calls.values())) <= 3, f"{sum(calls.values()):.2f} calls a message")


@check("a message that is stored is opened, written and closed once, and both it and its name are brought to the disk", limit=60)
def stored(work):
    server = Receive(work)
    calls = count(work, server, in_step)
    expect(calls["fsync"] == 2, f"fsync {calls['fsync']} times a message")
    for name in ("openat", "rename", "close"):
        expect(round(calls[name]) == 1, f"{name} {calls[name]} times a message")
    # Four turns, the file, and what it takes to hand a message to a thread and back.
    expect(sum(calls.values()) <= 36, f"{sum(calls.values()):.2f} calls a message")
