"""Builds the programs of README.md in an empty project, and has them send and receive mail.

smtplib sends a message to the server; the client delivers to the example `receive`, inside TLS and with a
password. The check replaces only the addresses in the programs, by those of this machine.
"""

import argparse
import os
import re
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lab import cargo

ADDRESS = "127.0.0.1:2525"
SERVER = "mail.example.com"
# Seconds after which a program is late.
LATE = 30


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="lab readme", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args(argv)
    page = (cargo.ROOT / "README.md").read_text()
    [dependencies] = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    client, server = re.findall(r"^```rust,no_run\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    checks = {"the server stores a message": receives, "the client sends one": sends}
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ports = {"server": free_port(), "submission": free_port()}
        (folder / "src/bin").mkdir(parents=True)
        (folder / "Cargo.toml").write_text(
            '[package]\nname = "readme"\nversion = "0.0.0"\nedition = "2024"\n\n'
            + dependencies.replace('path = "crates/', f'path = "{cargo.ROOT}/crates/')
            + "\n[workspace]\n"
        )
        shutil.copy(cargo.ROOT / "Cargo.lock", folder)
        (folder / "src/bin/server.rs").write_text(server.replace(ADDRESS, f"127.0.0.1:{ports['server']}"))
        client = client.replace(f"{SERVER}:587", f"127.0.0.1:{ports['submission']}")
        (folder / "src/bin/client.rs").write_text(client.replace(SERVER, "localhost"))
        target = Path(os.environ.get("CARGO_TARGET_DIR", cargo.ROOT / "target")) / "readme"
        environment = os.environ | {"CARGO_TARGET_DIR": str(target)}
        subprocess.run(["cargo", "build", "--quiet"], cwd=folder, env=environment, check=True)
        for title, check in checks.items():
            fault = check(target / "debug", folder, ports)
            failed += fault is not None
            print(f"{'FAILED' if fault else 'ok'}  {title}{f': {fault}' if fault else ''}")
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


def receives(programs: Path, folder: Path, ports: dict[str, int]) -> str | None:
    """A message to the server is printed, and Ctrl-C ends it."""
    server = subprocess.Popen([programs / "server"], stdout=subprocess.PIPE, text=True)
    try:
        wait_for(ports["server"])
        with smtplib.SMTP("127.0.0.1", ports["server"], timeout=LATE) as session:
            session.sendmail("smith@example.com", ["jones@example.org"], "Subject: lunch\n\nAt noon?\n")
        server.send_signal(2)
        printed, _ = server.communicate(timeout=LATE)
    finally:
        server.kill()
    if "At noon?" not in printed:
        return f"it printed {printed!r}"
    return None if server.returncode == 0 else f"it ended with {server.returncode}"


def sends(programs: Path, folder: Path, ports: dict[str, int]) -> str | None:
    """The client finds TLS and a password required, and both of its recipients accept."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
        + ["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"]
        + ["-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    target = Path(os.environ.get("CARGO_TARGET_DIR", cargo.ROOT / "target"))
    options = ["--submission", "--user", "smith:secret", "--require-tls", "--require-auth"]
    options += ["--listen", f"127.0.0.1:{ports['submission']}", "--cert", certificate, "--key", key]
    subprocess.run(
        ["cargo", "build", "--quiet", "--release", "--example", "receive"], cwd=cargo.ROOT, check=True
    )
    receive = subprocess.Popen(
        [target / "release/examples/receive", *options], stdout=subprocess.PIPE, text=True
    )
    try:
        wait_for(ports["submission"])
        sent = subprocess.run(
            [programs / "client"],
            env=os.environ | {"SSL_CERT_FILE": str(certificate)},
            capture_output=True,
            text=True,
            timeout=LATE,
        )
    finally:
        receive.terminate()
        receive.communicate(timeout=LATE)
    if sent.returncode != 0:
        return f"it ended with {sent.returncode}: {sent.stderr.strip()}"
    return None if sent.stdout.count("Accepted") == 2 else f"it printed {sent.stdout!r}"


def wait_for(port: int) -> None:
    end = time.monotonic() + LATE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
