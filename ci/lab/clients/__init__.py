"""Mail clients deliver to `receive` by every mechanism and kind of TLS; the cost of connections."""

from pathlib import Path

from lab import cargo
from lab.suite import Suite


def _page():
    from lab.clients import table

    return table.table()


SUITE = Suite(
    "clients",
    ("broken", "calls", "idle", "letters", "matrix", "relays", "slow", "load"),
    needs_root=True,
    prepare=cargo.build_lettre,
    page=Path("docs/interop-clients.md"),
    text=_page,
)


def main(argv):
    return SUITE.main(argv)
