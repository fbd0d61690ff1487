"""The builds of cargo for the checks, with every path to Rust sources in this package."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or "target")
TARGET = TARGET if TARGET.is_absolute() else ROOT / TARGET

FOREIGN = Path(__file__).parent / "foreign"
EXAMPLES = TARGET / "release/examples"
# The packages of the examples that are run: the applications, and the short servers.
EXAMPLE_PACKAGES = ("ehlo-apps", "ehlo-short-examples")
LETTRE_MANIFEST = FOREIGN / "lettre/Cargo.toml"
LETTRE = TARGET / "lettre/release/ehlo-peer-lettre"
ROUND_TRIPS_MANIFEST = FOREIGN / "round-trips/Cargo.toml"


def build_examples():
    packages = (word for name in EXAMPLE_PACKAGES for word in ("--package", name))
    cargo("build", "--release", "--quiet", *packages, "--examples")


def build_lettre():
    cargo(
        "build", "--release", "--quiet", "--manifest-path", LETTRE_MANIFEST, "--target-dir", TARGET / "lettre"
    )


def run_round_trips():
    """The table that the measurement prints."""
    return cargo("run", "--quiet", "--manifest-path", ROUND_TRIPS_MANIFEST, capture=True)


def test_guide():
    """The commands of docs/helo.md, with the DNS server that stands there."""
    environment = {"PATH": f"{os.environ['PATH']}:/usr/sbin", "EHLO_DNSMASQ": "1"}
    cargo("test", "--quiet", "--workspace", "--test", "probe", "the_guide", **environment)


def cargo(*arguments, capture=False, **environment):
    """Runs cargo from the root of the repository; what it prints is returned if it is captured."""
    done = subprocess.run(
        ["cargo", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if capture else None,
        text=True,
        check=True,
    )
    return done.stdout
