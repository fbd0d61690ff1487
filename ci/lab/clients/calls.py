"""System calls for a message of 1 KiB on a connection that is kept open, as strace counts them: of
`receive`, of `send`, and of the short server on blocking sockets.

Each of four turns of a lock-step client is a wait, a read and a write: 12 calls, and 8 where the read waits
by itself. The count includes what the runtime and the log need now and then, and is rounded.
"""

import contextlib
import os
import signal
import socket
import subprocess
from collections import Counter

from lab import programs
from lab.checks import check, expect, wait_until
from lab.programs import Program, Receive, environment, run
from lab.wire import Session

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
        return Counter({name: number / MESSAGES for name, number in counted(self.output).items()})


def counted(output):
    """The calls in what strace has written, by name."""
    lines = [line.split() for line in output.read_text().splitlines()]
    rows = [
        fields for fields in lines if len(fields) in (5, 6) and fields[3].isdigit() and fields[-1] != "total"
    ]
    return Counter({fields[-1]: int(fields[3]) for fields in rows})


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
    show(calls)
    return calls


def show(calls):
    shown = ", ".join(f"{name} {each:.2f}" for name, each in calls.most_common() if each >= 0.05)
    print(f"    {sum(calls.values()):.2f} calls a message: {shown}")


def expect_calls(calls, most):
    """At most so many for the connection, and one more for the log and for threads that wake each other."""
    connection = sum(calls[name] for name in ("epoll_wait", "recvfrom", "sendto"))
    expect(round(connection) <= most, f"{connection:.2f} calls a message for the connection")
    expect(sum(calls.values()) <= most + 1, f"{sum(calls.values()):.2f} calls a message")


class Dropping(Receive):
    """Takes messages and keeps none."""

    def __init__(self, work, *flags):
        super().__init__(work, *flags)
        at = self.command.index("--maildir")
        del self.command[at : at + 2]


@check(
    "a message in four turns costs receive no more than 12 calls of the system for its connection, and one beside",
    limit=60,
)
def four_turns(work):
    expect_calls(count(work, Dropping(work), in_step), 12)


@check(
    "a message with the next envelope behind its dot costs receive no more than 3 calls of the system for its connection, and one beside",
    limit=60,
)
def one_turn(work):
    expect_calls(count(work, Dropping(work), behind_the_dot), 3)


@check(
    "a message that is stored is opened, written and closed once, and both it and its name are brought to the disk",
    limit=60,
)
def stored(work):
    server = Receive(work)
    calls = count(work, server, in_step)
    expect(calls["fsync"] == 2, f"fsync {calls['fsync']} times a message")
    for name in ("openat", "rename", "close"):
        expect(round(calls[name]) == 1, f"{name} {calls[name]} times a message")
    # Four turns, the file, and what it takes to hand a message to a thread and back.
    expect(sum(calls.values()) <= 36, f"{sum(calls.values()):.2f} calls a message")


class Blocking(Program):
    """The short server on blocking sockets, which prints what it takes."""

    def __init__(self, work):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        super().__init__(work, programs.EXAMPLES / "server_blocking", f"127.0.0.1:{self.port}")

    def __enter__(self):
        self._start()
        wait_until(self._listens, 10, "it does not listen")
        return self

    def _listens(self):
        expect(not self.ended(), f"server_blocking has ended: {self.errors[-3:]}")
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False


@check(
    "a message costs a server on blocking sockets no more than 8 calls of the system, and 2 with the next envelope behind its dot",
    limit=60,
)
def blocking_server(work):
    for talk, most in ((in_step, 8), (behind_the_dot, 2)):
        calls = count(work, Blocking(work), talk)
        # It prints the message, which is not the library's affair.
        each = sum(calls.values()) - calls["write"]
        expect(round(each) <= most, f"{each:.2f} calls a message")


@check(
    "a message costs send no more than 8 calls of the system, on tokio 12, and 2 and 3 with the next envelope behind its dot",
    limit=60,
)
def client(work):
    content = work / "content"
    content.write_bytes(CONTENT)
    for runtime, flags, most in (
        ("blocking", ("--no-pipelining", "--no-chunking"), 8),
        ("blocking", (), 2),
        ("tokio", ("--no-pipelining", "--no-chunking"), 12),
        ("tokio", (), 3),
    ):
        with Dropping(work) as server:
            few, many = (
                sent(work, server.port, content, runtime, flags, number) for number in (20, 20 + MESSAGES)
            )
        calls = Counter({name: (many[name] - few[name]) / MESSAGES for name in many})
        show(calls)
        # It opens, reads and closes the file, and prints an outcome: the rest is the library's.
        own = calls["openat"] + calls["read"] + calls["close"] + min(calls["write"], 1)
        each = sum(calls.values()) - own
        expect(round(each) <= most, f"{each:.2f} calls a message by {runtime} {flags}")


def sent(work, port, content, runtime, flags, number):
    output = work / "calls"
    command = [
        "strace",
        "-f",
        "-c",
        "-o",
        output,
        programs.EXAMPLES / "send",
        "--server",
        f"127.0.0.1:{port}",
        "--helo",
        "client.test",
    ]
    command += [
        "--from",
        "a@test",
        "--to",
        "u@test",
        "--file",
        content,
        "--tls",
        "off",
        "--count",
        str(number),
        "--runtime",
        runtime,
        *flags,
    ]
    run(work, *command, timeout=25)
    return counted(output)
