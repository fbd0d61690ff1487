"""The client that `receive` meets, which plays a script, and `receive` itself."""

import contextlib
import re
import socket
import ssl
import subprocess
import threading
import time

from lab.field.wire import PATIENCE, Unexpected, Wire, shorten, to_bytes


class Refused(Exception):
    """`receive` ends before it listens."""

    def __init__(self, status, errors):
        super().__init__(f"exit {status} before it listens: {errors}")
        self.status = status


class Receive:
    """`receive` on a free port, with a maildir in `folder`."""

    def __init__(self, program, flags, address, folder):
        self.address, self.maildir, self.lines = address, folder / "maildir", []
        host = [] if "--hostname" in flags else ["--hostname", "mx.example"]
        command = [program, "--listen", f"{address}:0", "--maildir", self.maildir, *host, *flags]
        self.errors = (folder / "stderr").open("w+b")
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors
        )
        first = self.process.stdout.readline().decode("utf-8", "replace")
        listening = re.search(r"listening on \S*:(\d+)", first)
        if not listening:
            status = self.process.wait(PATIENCE)
            self.errors.seek(0)
            raise Refused(status, self.errors.read().decode("utf-8", "replace").strip())
        self.port = int(listening[1])
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.decode("utf-8", "replace"))

    def messages(self):
        """What is stored, in the order in which it was."""
        new = self.maildir / "new"
        files = (
            sorted(new.iterdir(), key=lambda file: (file.stat().st_mtime_ns, file)) if new.is_dir() else []
        )
        return [file.read_bytes() for file in files]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(2)
        self.process.stdout.close()
        self.errors.close()


class ScriptedClient:
    """Plays the steps of a case; what the server does otherwise is `Unexpected`."""

    def __init__(self, server):
        self.server = server
        # The address from which it comes is the one to which it goes.
        source = (server.address, 0)
        self.wire = Wire(socket.create_connection((server.address, server.port), PATIENCE, source))

    def play(self, steps):
        for step in steps:
            self.step(step)

    def step(self, step):
        match step:
            case ["C", value]:
                self.wire.note("C", to_bytes(value))
                # A reply may be there all the same.
                with contextlib.suppress(ConnectionError):
                    self.wire.send(to_bytes(value))
            case ["S", pattern, *times]:
                for _ in range(*times or [1]):
                    reply = self.reply(pattern)
                    if not re.search(pattern, reply):
                        raise Unexpected(f"{shorten(reply, 300)!r} comes where /{pattern}/ should")
            case ["END"]:
                heard, has_ended = self.wire.drain(PATIENCE)
                if not has_ended:
                    raise Unexpected("the stream does not end")
                if re.search(rb"(?m)^\d{3}[ -]", heard):
                    raise Unexpected(f"{shorten(heard)!r} comes where the stream should end")
            case ["TLS"]:
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                self.wire.start_tls(context)
            case ["DRIP", value, pause, seconds]:
                self.drip(to_bytes(value), pause, seconds)
            case ["STORED", count]:
                self.wait(str(count), self.stored(count))
            case ["MESSAGE", pattern, *options]:
                self.wait(f"/{pattern}/", self.last_message(pattern, or_none=any(map(dict, options))))
            case ["EVENT", pattern]:
                self.wait(f"/{pattern}/", self.printed(pattern))
            case ["SLEEP", seconds]:
                time.sleep(seconds)
            case ["SHUT"]:
                self.wire.sock.shutdown(socket.SHUT_WR)
            case ["CLOSE"] | ["RST"]:
                self.wire.close(reset=step == ["RST"])
            case _:
                raise Unexpected(f"no such step: {step}")

    def reply(self, wanted):
        """The next reply, its lines joined."""
        lines = []
        while not lines or re.match(r"\d{3}-", lines[-1]):
            try:
                line = self.wire.line()
            except TimeoutError:
                raise Unexpected(f"nothing comes where /{wanted}/ should") from None
            except ConnectionError:
                line = None
            if line is None:
                raise Unexpected(f"the stream ends where /{wanted}/ should come")
            lines.append(line.rstrip("\r\n"))
        self.wire.note("S", " | ".join(lines))
        return " | ".join(lines)

    def drip(self, data, pause, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.wire.send(data)
            with contextlib.suppress(TimeoutError):
                if self.wire.receive(pause):
                    return
                raise Unexpected("the stream ends")
        raise Unexpected(f"no reply in {seconds} s")

    def wait(self, wanted, look):
        """What is stored and printed may come a moment after the reply."""
        deadline = time.monotonic() + 3
        while (seen := look()) is not None:
            if time.monotonic() > deadline:
                raise Unexpected(f"{seen} where {wanted} should be")
            time.sleep(0.05)

    def stored(self, count):
        def look():
            found = len(self.server.messages())
            return None if found == count else f"{found} messages"

        return look

    def last_message(self, pattern, *, or_none):
        def look():
            messages = self.server.messages()
            if not messages:
                return None if or_none else "no message"
            last = messages[-1].decode("latin-1")
            return None if re.search(pattern, last) else f"{shorten(last, 300)!r}"

        return look

    def printed(self, pattern):
        def look():
            lines = "".join(self.server.lines)
            return None if re.search(pattern, lines, re.M) else f"standard output {shorten(lines, 300)!r}"

        return look
