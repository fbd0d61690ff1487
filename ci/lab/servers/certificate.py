"""The certificate of every server: for localhost, mx.test and 127.0.0.1, signed by a test authority."""

import os
import subprocess
from pathlib import Path

NAMES = "subjectAltName=DNS:localhost,DNS:mx.test,IP:127.0.0.1"


class Certificate:
    """Makes files in a folder: `authority` is what a client trusts, `chain` and `key` are the server's."""

    def __init__(self, folder):
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.authority, self.chain, self.key = (
            folder / "authority.pem",
            folder / "chain.pem",
            folder / "key.pem",
        )
        authority_key, request, names = folder / "authority-key.pem", folder / "request.pem", folder / "names"
        names.write_text(NAMES)
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        _openssl(
            "req",
            "-x509",
            *curve,
            "-keyout",
            authority_key,
            "-out",
            self.authority,
            "-days",
            "3650",
            "-subj",
            "/CN=authority.test",
        )
        _openssl("req", *curve, "-keyout", self.key, "-out", request, "-subj", "/CN=localhost")
        _openssl(
            "x509",
            "-req",
            "-in",
            request,
            "-CA",
            self.authority,
            "-CAkey",
            authority_key,
            "-set_serial",
            "1",
            "-days",
            "3650",
            "-extfile",
            names,
            "-out",
            self.chain,
        )
        # Servers that give up root before they read it.
        self.key.chmod(0o644)

    def private_key(self, path):
        """A copy of the key for servers that take none that others can read."""
        path = Path(path)
        path.touch(mode=0o600)
        path.write_bytes(self.key.read_bytes())
        os.chmod(path, 0o600)
        return path


def _openssl(*arguments):
    subprocess.run(
        ["openssl", *map(str, arguments)], check=True, capture_output=True, stdin=subprocess.DEVNULL
    )
