"""A private namespace of Linux: addresses of the loopback interface, a hostname, hosts, a resolver."""

import fcntl
import functools
import ipaddress
import socket
import struct
import subprocess

# As root of its own; with names, network and mounts of its own.
UNSHARE = ("unshare", "-r", "-u", "-n", "-m")

# Requests of linux/sockios.h.
GET_FLAGS, SET_FLAGS, SET_ADDRESS = 0x8913, 0x8914, 0x8916
IS_UP = 1


@functools.cache
def is_possible():
    try:
        return subprocess.run([*UNSHARE, "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def enter(wanted, folder):
    """Sets up a fresh namespace, within it, as a case wants it."""
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        bring_up(sock)
        others = [ipaddress.ip_address(address) for address in wanted.get("addresses", [])]
        for number, address in enumerate(others, 1):
            if address.version == 4:
                alias = f"lo:{number}".encode()
                request = struct.pack("16sHH4s8x", alias, socket.AF_INET, 0, address.packed)
                fcntl.ioctl(sock, SET_ADDRESS, request)
            else:
                with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six:
                    request = struct.pack("16sIi", address.packed, 128, socket.if_nametoindex("lo"))
                    fcntl.ioctl(six, SET_ADDRESS, request)
    if "hostname" in wanted:
        # The argument of hostname(1) may not have every character.
        socket.sethostname(wanted["hostname"].encode())
    files = {
        "hosts": ["127.0.0.1 localhost", *wanted.get("hosts", [])],
        "resolv.conf": ["nameserver 127.0.0.1"],
    }
    for name, lines in files.items():
        if "hosts" in wanted or wanted.get("resolver"):
            (folder / name).write_text("\n".join(lines) + "\n")
            subprocess.run(["mount", "--bind", folder / name, f"/etc/{name}"], check=True)


def bring_up(sock):
    """127.0.0.1 and ::1 are there when the interface is up."""
    request = struct.pack("16sH14x", b"lo", 0)
    flags = struct.unpack("16sH", fcntl.ioctl(sock, GET_FLAGS, request)[:18])[1]
    fcntl.ioctl(sock, SET_FLAGS, struct.pack("16sH14x", b"lo", flags | IS_UP))
