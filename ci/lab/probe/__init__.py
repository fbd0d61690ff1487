"""`probe` reports on mail servers, and on names in DNS; the commands of docs/helo.md work."""

from lab import cargo
from lab.suite import Suite

SUITE = Suite("probe", ("keywords", "names"), needs_root=True, before=cargo.test_guide)


def main(argv):
    return SUITE.main(argv)
