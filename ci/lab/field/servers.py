"""The servers that `send` and `probe` meet: one plays a script, one agrees, one is not there."""

import contextlib
import re
import socket
import ssl
import threading
import time

from lab.field.wire import Unexpected, Wire, shorten, to_bytes

# Seconds in which a connection has to come.
ARRIVAL = 20


def listen(address):
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    listener.bind((address, 0))
    listener.listen(16)
    return listener


class AbsentServer:
    """A port at which nothing listens, and that no other program gets."""

    def __init__(self, address):
        self.wires, self.faults = [], []
        self.sock = socket.socket()
        self.sock.bind((address, 0))
        self.port = self.sock.getsockname()[1]

    def stop(self):
        self.sock.close()


class Listening:
    def __init__(self, address):
        self.wires, self.faults = [], []
        self.listener = listen(address)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def stop(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(2)
        self.listener.close()


class AgreeingServer(Listening):
    """Says 250 to everything, on any number of connections."""

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                wire = Wire(self.listener.accept()[0])
                threading.Thread(target=self.serve, args=(wire,), daemon=True).start()

    def serve(self, wire):
        with contextlib.suppress(OSError):
            wire.send(b"220 mx.test ESMTP\r\n")
            while (line := wire.line(ARRIVAL)) and not line.upper().startswith("QUIT"):
                wire.send(b"250 mx.test\r\n")
            wire.send(b"221 mx.test\r\n")
        wire.close()


class ScriptedServer(Listening):
    """Plays a script on each connection, one after the other; what the client does otherwise is a fault."""

    def __init__(self, address, scripts, certificates):
        self.scripts, self.certificates = scripts, certificates
        super().__init__(address)

    def run(self):
        for number, script in enumerate(self.scripts, 1):
            try:
                self.listener.settimeout(ARRIVAL)
                wire = Wire(self.listener.accept()[0])
            except OSError:
                self.faults.append(f"connection {number} never came")
                return
            self.wires.append(wire)
            try:
                self.play(wire, script)
            except Unexpected as fault:
                self.faults.append(f"connection {number}: {fault}")
            except OSError as error:
                self.faults.append(f"connection {number}: {type(error).__name__}: {error}")
            with contextlib.suppress(OSError):
                wire.close()

    def stop(self):
        """The client has ended: what it began is played to its end, but nothing new is waited for."""
        began = time.monotonic()
        while self.thread.is_alive() and time.monotonic() < began + 2:
            self.thread.join(0.05)
            if len(self.wires) < len(self.scripts) and time.monotonic() > began + 0.5:
                break
        super().stop()

    def play(self, wire, script):
        """True if the rest of the script is not to be played."""
        return any(self.step(wire, step) for step in script)

    def step(self, wire, step):
        match step:
            case ["S", value]:
                wire.note("S", to_bytes(value))
                wire.send(to_bytes(value))
            case ["C", start]:
                self.line(wire, [start])
            case ["CASE", branches]:
                self.play(wire, branches[self.line(wire, branches)])
                return True
            case ["DATA", *options]:
                return self.mail_data(wire, may_end=any(map(dict, options)))
            case ["BDAT"]:
                line = self.line(wire, ["BDAT "], keep=True)
                self.skip(wire, int(re.match(r"BDAT (\d+)", line, re.I)[1]))
            case ["BYTES", size]:
                self.skip(wire, size)
            case ["DRIP", value, pause]:
                for byte in to_bytes(value):
                    wire.send(bytes([byte]))
                    time.sleep(pause)
            case ["SLEEP", seconds]:
                time.sleep(seconds)
            case ["HOLD", seconds, *options]:
                heard = wire.drain(seconds)[0]
                wire.note("C", heard)
                never = options and options[0].get("not")
                if never and re.search(never, heard.decode("latin-1")):
                    raise Unexpected(f"the client sends what matches /{never}/")
            case ["REST", reply, seconds]:
                self.answer_the_rest(wire, to_bytes(reply), seconds)
            case ["TLS", *how]:
                return self.start_tls(wire, *how)
            case ["UNWRAP"]:
                with contextlib.suppress(OSError, ValueError):
                    wire.sock.settimeout(2)
                    wire.sock = wire.sock.unwrap()
            case ["SHUT"]:
                wire.sock.shutdown(socket.SHUT_WR)
            case ["CLOSE"] | ["RST"]:
                wire.close(reset=step == ["RST"])
                return True
            case _:
                raise Unexpected(f"no such step: {step}")
        return False

    def line(self, wire, starts, keep=False):
        """The first of `starts` with which the next line begins, or the line itself."""
        wanted = " or ".join(repr(start) for start in starts)
        try:
            line = wire.line()
        except TimeoutError:
            raise Unexpected(f"nothing comes where {wanted} should") from None
        if line is None:
            raise Unexpected(f"the stream ends where {wanted} should come")
        wire.note("C", line)
        for start in starts:
            if line.upper().startswith(start.upper()):
                return line if keep else start
        raise Unexpected(f"{shorten(line)!r} comes where {wanted} should")

    def mail_data(self, wire, *, may_end):
        # The final dot may follow the 354 at once.
        taken = b"\r\n"
        while b"\r\n.\r\n" not in taken + wire.unread:
            taken += wire.take(len(wire.unread))
            try:
                is_open = wire.receive()
            except ConnectionError:
                is_open = False
            if not is_open:
                if may_end:
                    return True
                raise Unexpected("the stream ends in the middle of mail data")
        whole = taken + wire.unread
        end = whole.index(b"\r\n.\r\n") + 5
        wire.unread = whole[end:]
        wire.log.append(f"C: ({end - 5} bytes of mail data)")
        return False

    def skip(self, wire, size):
        while len(wire.unread) < size:
            if not wire.receive():
                raise Unexpected(f"the stream ends where {size} bytes should come")
        wire.take(size)

    def answer_the_rest(self, wire, reply, seconds):
        deadline = time.monotonic() + seconds
        with contextlib.suppress(OSError):
            while (left := deadline - time.monotonic()) > 0 and (line := wire.line(left)):
                wire.note("C", line)
                wire.send(b"221 bye\r\n" if line.upper().startswith("QUIT") else reply)

    def start_tls(self, wire, name="good", options=None):
        options = options or {}
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{self.certificates}/{name}.pem", f"{self.certificates}/{name}.key")
        if options.get("max") == "1.2":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        if options.get("max") == "1.1":
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
            context.set_ciphers("ALL:@SECLEVEL=0")
        if "ciphers" in options:
            context.set_ciphers(options["ciphers"])
        if "tickets" in options:
            context.num_tickets = options["tickets"]
        try:
            wire.start_tls(context, server_side=True)
        except OSError as error:
            if not options.get("may_fail"):
                raise
            wire.log.append(f"-- no TLS: {error}")
            return True
        return False
