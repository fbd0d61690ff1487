"""Starts and ends programs: the two examples, and the servers that `send` talks to."""

import contextlib
import json
import os
import pwd
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from lab import cargo, maildir
from lab.checks import expect, expect_same_set, wait_until
from lab.provide import VENV

EXAMPLES = cargo.EXAMPLES


def environment(work):
    """No settings of the user's: every client finds an empty home."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return {"PATH": path, "HOME": str(work), "LC_ALL": "C.UTF-8", "RUST_BACKTRACE": "1"}


def run(work, *command, content=None, timeout=25, code=0):
    """Runs a client to its end."""
    name, stdin = Path(command[0]).name, subprocess.DEVNULL if content is None else None
    command = [str(word) for word in command]
    try:
        done = subprocess.run(
            command,
            input=content,
            stdin=stdin,
            capture_output=True,
            timeout=timeout,
            env=environment(work),
            cwd=work,
        )
    except subprocess.TimeoutExpired:
        raise AssertionError(f"{name} not finished after {timeout} s") from None
    if code is not None:
        said = (done.stderr + done.stdout).decode("utf-8", "replace")
        expect(done.returncode == code, f"{name} ended with {done.returncode}: …{said[-400:]}")
    return done


class Program:
    """A server in the background, in a process group of its own, which ends with the `with` block."""

    def __init__(self, work, *command):
        self.work, self.command = work, [str(word) for word in command]
        self.lines, self.errors, self._arriving = [], [], queue.Queue()

    def __enter__(self):
        self._start()
        return self

    def _start(self):
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd=self.work,
            env=environment(self.work),
            start_new_session=True,
        )
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.lines), daemon=True),
            threading.Thread(target=self._read, args=(self.process.stderr, self.errors), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream, into):
        for line in stream:
            into.append(line.rstrip("\n"))
            if into is self.lines:
                self._arriving.put(line.rstrip("\n"))

    def next_line(self, timeout=10):
        try:
            return self._arriving.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f"{self.name} printed nothing for {timeout} s: {self.errors[-3:]}") from None

    @property
    def name(self):
        return Path(self.command[0]).name

    def ended(self):
        return self.process.poll() is not None

    def wait(self, timeout=10):
        """The exit status, once all output has been read."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {timeout} s") from None
        for reader in self._readers:
            reader.join(5)
        return status

    def end(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self.ended():
                self.process.send_signal(number)
                try:
                    self.process.wait(3)
                except subprocess.TimeoutExpired:
                    continue
        # What it has started and left behind.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        for reader in self._readers:
            reader.join(5)

    def __exit__(self, kind, error, _):
        self.end()
        if kind is not None:
            for line in self.errors[-8:]:
                print(f"    {self.name}: {line}", file=sys.stderr)


class Receive(Program):
    """The example `receive`; the end of its `with` block is Ctrl-C, which has to end it cleanly."""

    def __init__(self, work, *flags):
        self.maildir = work / "maildir"
        hostname = () if "--hostname" in flags else ("--hostname", "mx.test")
        listen = ("--listen", "127.0.0.1:0", *hostname)
        super().__init__(work, EXAMPLES / "receive", *listen, "--maildir", self.maildir, *flags)

    def __enter__(self):
        self._start()
        try:
            first = self.next_line()
            listening = re.search(r"127\.0\.0\.1:(\d+)", first)
            expect(first.startswith("listening on ") or "--json" in self.command, f"first line {first!r}")
            expect(listening, f"no address in the first line {first!r}")
        except BaseException:
            self.end()
            raise
        self.port = int(listening[1])
        return self

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def __exit__(self, kind, error, trace):
        try:
            if kind is None:
                if not self.ended():
                    self.interrupt()
                status = self.wait()
                expect(status == 0, f"receive ended with {status} after Ctrl-C: {self.errors[-3:]}")
                expect(
                    not any("panicked" in line for line in self.errors),
                    f"receive panicked: {self.errors[:3]}",
                )
        finally:
            super().__exit__(kind, error, trace)

    def stored(self):
        """All that is stored. No wait: a message must be there before its client is told so."""
        left = maildir.unfinished(self.maildir)
        expect(not left, f"left in tmp: {left[:3]}")
        return maildir.stored(self.maildir)

    def expect_stored(self, *contents):
        messages = self.stored()
        expect_same_set([one.content for one in messages], list(contents), "stored")
        return messages


OUTCOME = re.compile(r"(accepted|deferred|refused|unknown) <([^>]*)> (.*)")


@dataclass
class Sent:
    code: int
    outcomes: list  # (word, address, the reply as printed)
    errors: str

    def words(self):
        return [word for word, _, _ in self.outcomes]


def send(
    work,
    port,
    content,
    *flags,
    runtime,
    to=("u@test",),
    sender="a@test",
    standard_input=False,
    timeout=25,
    code=0,
):
    """Runs the example `send`; `code` is one status or several that are right.

    Where the content is None, the file does not exist.
    """
    file = work / "content"
    if content is not None:
        file.write_bytes(content)
    command = [
        EXAMPLES / "send",
        "--server",
        f"127.0.0.1:{port}",
        "--helo",
        "client.test",
        "--runtime",
        runtime,
        "--from",
        sender,
    ]
    command += [word for address in to for word in ("--to", address)] + list(flags)
    if standard_input:
        done = run(work, *command, content=content, timeout=timeout, code=None)
    else:
        done = run(work, *command, "--file", file, timeout=timeout, code=None)
    lines, errors = done.stdout.decode().splitlines(), done.stderr.decode("utf-8", "replace")
    codes = (code,) if isinstance(code, int) else code
    expect(
        done.returncode in codes,
        f"send ended with {done.returncode}, not {code}: {lines[:3]} {errors[-400:]}",
    )
    expect("panicked" not in errors, f"send panicked: {errors[-400:]}")
    outcomes = [OUTCOME.fullmatch(line) for line in lines]
    expect(all(outcomes), f"not an outcome: {[line for line, ok in zip(lines, outcomes) if not ok][:1]}")
    return Sent(done.returncode, [one.groups() for one in outcomes], errors)


AIOSMTPD = Path(__file__).parent / "servers/aiosmtpd_server.py"


class Aiosmtpd(Program):
    """aiosmtpd, which stores content as it came."""

    def __init__(self, work, *flags):
        self.folder = work / "aiosmtpd"
        self.folder.mkdir()
        super().__init__(work, VENV / "bin/python", AIOSMTPD, self.folder, *flags)

    def __enter__(self):
        self._start()
        try:
            self.port = int(self.next_line().rsplit(":", 1)[1])
        except BaseException:
            self.end()
            raise
        return self

    def stored(self):
        return [path.read_bytes() for path in sorted(self.folder.glob("*.eml"))]

    def envelopes(self):
        return [json.loads(path.read_text()) for path in sorted(self.folder.glob("*.json"))]

    def expect_stored(self, contents):
        expect_same_set(self.stored(), contents, "aiosmtpd stored")


SINK_HEADER = re.compile(
    rb"(?:X-[A-Za-z]+-(?:Addr|Proto|Args): [^\n]*\n)+Received: [^\n]*\n(?:\t[^\n]*\n)*?\t[^\n]*[+-]\d{4} \([A-Z]+\)\n"
)


class Sink(Program):
    """smtp-sink, which dumps each transaction to a file, without any CR."""

    def __init__(self, work, *flags):
        self.folder = work / "sink"
        self.folder.mkdir()
        self.flags = flags
        super().__init__(work)

    def __enter__(self):
        user = (
            ["-u", pwd.getpwuid(os.getuid()).pw_name] if os.getuid() == 0 else []
        )  # as root it insists on a user
        for _ in range(3):  # it cannot take port 0, and another program may take a port found free
            self.port = free_port()
            dump = f"{str(self.folder).replace('%', '%%')}/m."
            self.command = [
                "smtp-sink",
                *user,
                "-h",
                "sink.test",
                "-d",
                dump,
                *self.flags,
                f"127.0.0.1:{self.port}",
                "128",
            ]
            self._start()
            try:
                wait_until(lambda: self.ended() or answers(self.port), 10, "smtp-sink does not listen")
            except BaseException:
                self.end()
                raise
            if not self.ended():
                return self
        raise AssertionError(f"smtp-sink does not start: {self.errors[-2:]}")

    def dumps(self):
        return [path.read_bytes() for path in sorted(self.folder.iterdir())]

    def stored(self):
        """Contents as dumped: below the headers of smtp-sink's own, above the empty line it adds."""
        contents = []
        for dump in self.dumps():
            header = SINK_HEADER.match(dump)
            expect(header and dump.endswith(b"\n"), f"unfinished dump {dump[:200]!r}")
            contents.append(dump[header.end() : -1])
        return contents

    def expect_stored(self, contents):
        expect_same_set(
            self.stored(), [content.replace(b"\r", b"") for content in contents], "smtp-sink stored"
        )


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except ConnectionRefusedError:
        return False
    return True
