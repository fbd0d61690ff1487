"""`send` delivers to mail servers, and to smtp-sink with each of its faults, as docs/interop.md says."""

from pathlib import Path

from lab.suite import Suite


def _configure(everything, writes):
    from lab.interop import page, trial

    trial.RUNTIMES_IN_TURN = trial.RUNTIMES if everything else trial.RUNTIMES[:1]
    page.COMPARES = not writes


def _page():
    from lab.interop import page

    return page.text()


SUITE = Suite(
    "interop",
    ("cells", "faults"),
    needs_root=True,
    configure=_configure,
    page=Path("docs/interop.md"),
    text=_page,
)


def main(argv):
    return SUITE.main(argv)
