"""`probe` tells of mail servers, and of names by a DNS server; the commands of docs/helo.md do what stands there."""

from lab import cargo
from lab.suite import Suite

SUITE = Suite("probe", ("keywords", "names"), needs_root=True, before=cargo.test_guide)


def main(argv):
    return SUITE.main(argv)
