"""One case, tried on one program."""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.field import namespace
from lab.field.clients import Receive, Refused, ScriptedClient
from lab.field.dns import Dns
from lab.field.judgement import Ending, Result
from lab.field.servers import AbsentServer, AgreeingServer, ScriptedServer
from lab.field.wire import Unexpected, to_bytes

# Seconds that a program may run, unless its case says otherwise; and one that is slow.
LIMIT, SLOW_LIMIT = 20, 60
DNS_PORT = 53


class Skipped(Exception):
    """The case cannot be tried on this machine."""


@dataclass(frozen=True)
class Trial:
    case: dict
    examples: str
    # Where the certificates are; `None` if they cannot be made.
    certificates: str | None
    # Of `send`.
    runtime: str | None = None

    def run(self):
        if needs_certificates(self.case) and self.certificates is None:
            raise Skipped("there is no openssl")
        if "namespace" in self.case:
            return self.run_in_namespace()
        return self.run_here()

    def run_in_namespace(self):
        if not namespace.is_possible():
            raise Skipped("unshare makes no private namespace here")
        done = subprocess.run(
            [*namespace.UNSHARE, sys.executable, "-B", "-m", "lab.field.trial"],
            input=json.dumps(asdict(self)),
            capture_output=True,
            text=True,
            timeout=90,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        )
        if done.returncode:
            raise Skipped(f"no private namespace: {done.stderr.strip().rpartition(chr(10))[2]}")
        return Result(**json.loads(done.stdout))

    def run_here(self):
        with tempfile.TemporaryDirectory(prefix="field-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            if "namespace" in self.case:
                namespace.enter(self.case["namespace"], folder)
            return self.try_receive(folder) if self.case["tool"] == "receive" else self.try_program(folder)

    def try_program(self, folder):
        """`send`, `probe` or `parse`: it runs to its end."""
        case = self.case
        for name, content in case.get("files", {}).items():
            (folder / name).write_bytes(to_bytes(content))
        with contextlib.ExitStack() as stack:
            server, dns = self.server(), self.dns(stack)
            values = {
                "PORT": server and server.port,
                "ADDRESS": case.get("address", "127.0.0.1"),
                "DNS": dns and f"127.0.0.1:{dns.port}",
                "PKI": self.certificates,
                "FILES": folder,
            }
            words = [case["what"]] if "what" in case else []
            words += fill(case.get("flags", []), values)
            words += ["--runtime", self.runtime] if self.runtime else []
            ending = run([f"{self.examples}/{case['tool']}", *words], case)
            if server:
                server.stop()
        faults = [*ending.faults(case["expect"]), *(server.faults if server else [])]
        wires = server.wires if server else []
        log = [line for wire in wires for line in wire.log] + ending.stderr.splitlines()[-12:]
        return Result(not faults, "; ".join([*faults, ending.shown()]), tuple(log))

    def try_receive(self, folder):
        case = self.case
        with contextlib.ExitStack() as stack:
            dns = self.dns(stack)
            flags = fill(case.get("flags", []), {"DNS": dns and f"127.0.0.1:{dns.port}"})
            address = case.get("address", "127.0.0.1")
            try:
                server = Receive(f"{self.examples}/receive", flags, address, folder)
            except Refused as refusal:
                return Result(refusal.status == case.get("or_exit"), str(refusal))
            stack.callback(server.stop)
            client = ScriptedClient(server)
            stack.callback(client.wire.close)
            try:
                client.play(case["steps"])
            except (Unexpected, OSError) as fault:
                kind = "" if isinstance(fault, Unexpected) else f"{type(fault).__name__}: "
                return Result(False, f"{kind}{fault}", tuple(client.wire.log))
            return Result(True, "", tuple(client.wire.log))

    def server(self):
        case, address = self.case, self.case.get("address", "127.0.0.1")
        scripts = case.get("script")
        if case["tool"] == "parse":
            return None
        if scripts:
            scripts = [scripts] if isinstance(scripts[0][0], str) else scripts
            return ScriptedServer(address, scripts, self.certificates)
        return AgreeingServer(address) if case["tool"] == "probe" else AbsentServer(address)

    def dns(self, stack):
        if "dns" not in self.case:
            return None
        is_resolver = self.case.get("namespace", {}).get("resolver")
        return stack.enter_context(contextlib.closing(Dns(self.case["dns"], DNS_PORT if is_resolver else 0)))


def needs_certificates(case):
    text = json.dumps(case)
    return case["tool"] != "receive" and ('"TLS"' in text or "{PKI}" in text)


def fill(flags, values):
    """The flags of a case with the values that stand for names in braces."""
    texts = [flag if isinstance(flag, str) else to_bytes(flag).decode("latin-1") for flag in flags]
    return [re.sub(r"\{([A-Z]+)\}", lambda name: str(values.get(name[1], name[0])), text) for text in texts]


def run(command, case):
    limit = case.get("limit", SLOW_LIMIT if case.get("slow") else LIMIT)
    began = time.monotonic()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        try:
            out, errors = process.communicate(to_bytes(case.get("stdin", "")), limit)
            status = process.returncode
        except subprocess.TimeoutExpired:
            process.kill()
            out, errors = process.communicate()
            status = f"none in {limit} s"
    out, errors = out.decode("utf-8", "replace"), errors.decode("utf-8", "replace")
    return Ending(status, out, errors, time.monotonic() - began)


if __name__ == "__main__":
    # Within the namespace.
    print(json.dumps(asdict(Trial(**json.load(sys.stdin)).run_here())))
