"""The table of the deliveries of each client."""

import re
import subprocess

from lab.clients import matrix
from lab.clients.clients import CLIENTS, SECURITIES

HEAD = """\
# Mail clients into `receive`

Written by `ci/run clients --write`, which runs each of these programs against the example `receive`. Each
entry means that a message was delivered unchanged, by the protocol that RFC 3848 names for it, and that the server printed no
password. The client has verified the certificate of TLS.

The same run sends messages of 50 MiB, to addresses in UTF-8 and with delivery status notifications; Exim relays by BDAT, Postfix
delivers by LMTP. Two clients differ from the RFCs: Jakarta Mail stuffs dots in BDAT too, where RFC 3030 has no stuffing, so they
arrive doubled; s-nail greets with HELO if it does not authenticate, also inside TLS.

| client | version | without TLS | STARTTLS | implicit TLS |
| --- | --- | --- | --- | --- |
"""


def table():
    rows = [
        f"| {client.title} | {_version(client)} | {' | '.join(_cell(client, security) for security in SECURITIES)} |"
        for client in CLIENTS
    ]
    return HEAD + "\n".join(rows) + "\n"


def _version(client):
    said = subprocess.run(client.version, capture_output=True, text=True, check=True).stdout
    return re.search(r"\d[\w.+~-]*", said)[0]


def _cell(client, security):
    if security not in client.securities:
        return "–"
    ways = [
        mechanism
        for way, mechanism in client.ways()
        if way == security and (client.title, way, mechanism) in matrix.DELIVERED
    ]
    return ", ".join(mechanism or "no AUTH" for mechanism in ways)
