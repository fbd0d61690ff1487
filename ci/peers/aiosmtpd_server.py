"""aiosmtpd on a free port, storing what it takes: N.eml as received and N.json with the envelope.

Runs under the Python of the venv that holds aiosmtpd; every other file here runs under the system's.
"""

import argparse
import asyncio
import itertools
import json
from pathlib import Path

from aiosmtpd.smtp import SMTP


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
        facts = {"helo": session.host_name, "from": envelope.mail_from, "to": envelope.rcpt_tos, "options": envelope.mail_options}
        stem.with_suffix(".eml").write_bytes(envelope.original_content)
        stem.with_suffix(".json").write_text(json.dumps(facts))
        return "250 2.0.0 stored"


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--refuse", action="append", default=[])
    parser.add_argument("--defer", action="append", default=[])
    parser.add_argument("--size", type=int, default=64 * 1024 * 1024)
    arguments = parser.parse_args()
    store = Store(arguments.folder, arguments.refuse, arguments.defer)

    def session():
        return SMTP(store, data_size_limit=arguments.size, enable_SMTPUTF8=True, hostname="aiosmtpd.test")

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0)
    print(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


asyncio.run(main())
