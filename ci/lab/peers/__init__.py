"""Mail programs written by others deliver to `receive`, and `send` delivers to servers written by others."""

from lab.suite import Suite

SUITE = Suite("peers", ("receive", "receive_wire", "send", "send_faults"))


def main(argv):
    return SUITE.main(argv)
