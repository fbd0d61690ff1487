"""aiosmtpd on a free port, storing what it takes: N.eml as received and N.json with the envelope.

With a certificate it offers STARTTLS there and AUTH inside TLS, and has a second port with implicit TLS.

Runs under the Python of the venv that holds aiosmtpd; every other module runs under the system's.
"""

import argparse
import asyncio
import itertools
import json
import ssl
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult


class Store:
    def __init__(self, folder, refuse, defer):
        self.folder, self.refuse, self.defer = folder, refuse, defer
        self.numbers = itertools.count()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refuse:
            return "550 5.1.1 no such user here"
        if address in self.defer:
            return "451 4.3.0 come back later"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 recipient ok"

    async def handle_DATA(self, server, session, envelope):
        stem = self.folder / f"{next(self.numbers):06}"
        facts = {
            "helo": session.host_name,
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "options": envelope.mail_options,
        }
        stem.with_suffix(".eml").write_bytes(envelope.original_content)
        stem.with_suffix(".json").write_text(json.dumps(facts))
        return "250 2.0.0 stored"


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--refuse", action="append", default=[])
    parser.add_argument("--defer", action="append", default=[])
    parser.add_argument("--size", type=int, default=64 * 1024 * 1024)
    parser.add_argument(
        "--ports",
        type=int,
        nargs="+",
        default=[0],
        help="the port that begins without TLS, the port inside TLS",
    )
    parser.add_argument("--certificate", nargs=2, metavar=("CHAIN", "KEY"))
    parser.add_argument("--login", nargs=2, metavar=("NAME", "PASSWORD"), default=("", ""))
    arguments = parser.parse_args()
    store = Store(arguments.folder, arguments.refuse, arguments.defer)

    tls = None
    if arguments.certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*arguments.certificate)

    def authenticator(server, session, envelope, mechanism, data):
        expected = tuple(word.encode() for word in arguments.login)
        return AuthResult(success=all(expected) and (data.login, data.password) == expected, handled=False)

    def session(inside=False):
        return SMTP(
            store,
            data_size_limit=arguments.size,
            enable_SMTPUTF8=True,
            hostname="aiosmtpd.test",
            authenticator=authenticator,
            auth_require_tls=not inside,
            tls_context=None if inside else tls,
        )

    loop = asyncio.get_running_loop()
    clear = await loop.create_server(session, "127.0.0.1", arguments.ports[0])
    if tls:
        inside = await loop.create_server(
            lambda: session(inside=True), "127.0.0.1", arguments.ports[1], ssl=tls
        )
        await inside.start_serving()
    print(f"listening on 127.0.0.1:{clear.sockets[0].getsockname()[1]}", flush=True)
    await clear.serve_forever()


asyncio.run(main())
