"""Installs the tools of steps, by apt, cargo, pip and npm; without a STEP, those of all steps.

Nothing else in this repository installs anything. Debian's mail servers conflict with each other, so all but
Postfix are only unpacked, below $PEERS_HOME (/tmp/ehlo-peers). Nothing that is installed is removed, and no
daemon is started. Debian packages need root, or a sudo that asks nothing; the rest does not.
"""

import argparse
import contextlib
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from lab import cargo, rfc_texts

HOME = Path(os.environ.get("PEERS_HOME", "/tmp/ehlo-peers"))
VENV = HOME / "venv"
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
ENVIRONMENT = os.environ | {"PATH": PATH, "DEBIAN_FRONTEND": "noninteractive"}


def which(program):
    return shutil.which(program, path=PATH)


def succeeds(*command):
    if not which(command[0]):
        return False
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, env=ENVIRONMENT)
    return done.returncode == 0


class Thing:
    name: str

    def __str__(self):
        return self.name


@dataclass(frozen=True)
class Program(Thing):
    """A program on the PATH, and the Debian packages that bring it."""

    name: str
    packages: tuple[str, ...] = ()

    def is_here(self):
        return which(self.name) is not None

    def debian(self):
        return self.packages or (self.name,)


@dataclass(frozen=True)
class Debian(Thing):
    """A Debian package that has no program: a library, or data."""

    name: str

    def is_here(self):
        if not which("dpkg-query"):
            return False
        query = ["dpkg-query", "--show", "--showformat", "${db:Status-Status}", self.name]
        return subprocess.run(query, capture_output=True, text=True).stdout == "installed"

    def debian(self):
        return (self.name,)


@dataclass(frozen=True)
class Perl(Thing):
    """A module of Perl, and its Debian package."""

    name: str
    package: str

    def is_here(self):
        return succeeds("perl", "-e", f"use {self.name}; 1")

    def debian(self):
        return (self.package,)


@dataclass(frozen=True)
class Venv(Thing):
    """What a virtual environment is made of."""

    name: str = "python3-venv"

    def is_here(self):
        return os.path.exists(VENV / "bin/python") or succeeds("python3", "-c", "import ensurepip, venv")

    def debian(self):
        return (self.name,)


@dataclass(frozen=True)
class Unpacked(Thing):
    """A Debian package that is unpacked below HOME: of this machine's release, or of its backports."""

    name: str
    release: str
    # A file of it.
    file: str

    def __str__(self):
        return f"{self.name} ({self.release})"

    def is_here(self):
        return os.path.exists(HOME / "unpacked" / self.release / self.name / self.file)


@dataclass(frozen=True)
class Account(Thing):
    """An account that an unpacked server looks up."""

    name: str

    def is_here(self):
        return succeeds("getent", "passwd", self.name)


@dataclass(frozen=True)
class Npm(Thing):
    """A package of npm, in a folder below HOME."""

    name: str
    version: str
    # What else its package.json says.
    more: dict = field(default_factory=dict, hash=False)

    def is_here(self):
        manifest = self.folder() / "node_modules" / self.name / "package.json"
        return manifest.exists() and json.loads(manifest.read_text())["version"] == self.version

    def folder(self):
        return HOME / "npm" / self.name

    def install(self):
        shutil.rmtree(self.folder(), ignore_errors=True)
        self.folder().mkdir(parents=True)
        (self.folder() / "package.json").write_text(
            json.dumps({"name": "peer", "version": "1.0.0"} | self.more)
        )
        options = ("--silent", "--no-fund", "--no-audit", "--omit=optional", "--ignore-scripts")
        quietly("npm", "--prefix", self.folder(), "install", *options, f"{self.name}@{self.version}")


@dataclass(frozen=True)
class Pip(Thing):
    """A package of PyPI, in the virtual environment below HOME."""

    name: str
    version: str

    def is_here(self):
        return bool(list(VENV.glob(f"lib/python3*/site-packages/{self.name}-{self.version}.dist-info")))

    def install(self):
        if not os.path.exists(VENV / "bin/python"):
            quietly("python3", "-m", "venv", VENV)
        quietly(
            VENV / "bin/pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            f"{self.name}=={self.version}",
        )


@dataclass(frozen=True)
class Cargo(Thing):
    """A tool of cargo. If a library is named, the tool has the version that Cargo.lock has of it.

    It is built without optimisation, which takes less time than its work.
    """

    name: str
    library: str = ""

    def is_here(self):
        found = which(self.name)
        if not found or not self.library:
            return found is not None
        said = subprocess.run(
            [found, "--version"], capture_output=True, text=True, stdin=subprocess.DEVNULL
        ).stdout
        return self._version() in said

    def _version(self):
        lock = (cargo.ROOT / "Cargo.lock").read_text()
        return re.search(rf'^name = "{self.library}"\nversion = "([^"]*)"', lock, re.MULTILINE)[1]

    def install(self):
        version = ("--version", self._version()) if self.library else ()
        quietly(
            "cargo",
            "install",
            "--quiet",
            "--locked",
            "--debug",
            "--config",
            "profile.dev.debug=false",
            self.name,
            *version,
        )


@dataclass(frozen=True)
class RfcTexts(Thing):
    """The texts of the RFCs, out of Debian's packages and in a folder of the user's cache."""

    name: str = "the texts of the RFCs"

    def is_here(self):
        return bool(rfc_texts.Library(rfc_texts.CACHE).paths)

    def install(self):
        rfc_texts.provide(rfc_texts.CACHE)


# Postfix comes for smtp-source and smtp-sink; with "No configuration" it has no main.cf, so no daemon of
# it starts.
SMTP_SOURCE = Program("smtp-source", ("postfix",))
NODE = Program("npm", ("nodejs", "npm"))
PEERS = (
    SMTP_SOURCE,
    Program("smtp-sink", ("postfix",)),
    *map(Program, ("swaks", "curl", "msmtp")),
    Venv(),
    Pip("aiosmtpd", "1.4.6"),
)
SERVERS = (
    *PEERS,
    Program("postfix"),
    Program("dovecot", ("dovecot-core",)),
    *map(Debian, ("dovecot-lmtpd", "dovecot-submissiond", "libsasl2-modules", "libsasl2-modules-db")),
    Program("saslpasswd2", ("sasl2-bin",)),
    *map(Program, ("m4", "openssl")),
    Program("unshare", ("util-linux",)),
    Program("dnsmasq", ("dnsmasq-base",)),
    # Libraries of the unpacked servers.
    *map(
        Debian,
        (
            "libdb5.3",
            "libevent-2.1-7",
            "libgnutls-dane0",
            "libidn12",
            "libldap-2.5-0",
            "liblockfile1",
            "libmariadb3",
        ),
    ),
    *map(
        Debian, ("libnsl2", "libperl5.36", "libpq5", "libspf2-2", "libwrap0", "libfstrm0", "libprotobuf-c1")
    ),
    Unpacked("exim4-daemon-heavy", "stable", "usr/sbin/exim4"),
    Unpacked("nsd", "stable", "usr/sbin/nsd"),
    Unpacked("sendmail-bin", "stable", "usr/libexec/sendmail/sendmail"),
    Unpacked("sendmail-cf", "stable", "usr/share/sendmail/cf/m4/cf.m4"),
    Unpacked("exim4-daemon-heavy", "backports", "usr/sbin/exim4"),
    Unpacked("opensmtpd", "backports", "usr/sbin/smtpd"),
    Unpacked("postfix", "backports", "usr/sbin/postfix"),
    *map(Account, ("Debian-exim", "opensmtpd", "opensmtpq", "smmta", "smmsp")),
    NODE,
    Npm("smtp-server", "3.21.6"),
    # Two of its dependencies have withdrawn the versions that it asks for.
    Npm("Haraka", "3.1.1", {"overrides": {"encoding-japanese": "2.2.0", "libqp": "2.1.1"}}),
)
CLIENTS = (
    *SERVERS,
    *map(Program, ("s-nail", "mutt", "ruby", "perl", "strace")),
    Program("javac", ("default-jdk-headless",)),
    *map(Debian, ("libjakarta-mail-java", "libjakarta-activation-java")),
    Perl("Authen::SASL", "libauthen-sasl-perl"),
    Perl("Digest::HMAC_MD5", "libdigest-hmac-perl"),
    Perl("IO::Socket::SSL", "libio-socket-ssl-perl"),
    Perl("Net::SMTP", "perl"),
    Npm("nodemailer", "10.6.0"),
)
# What each step of .ci/run and each command of lab needs, beside Rust and Python.
STEPS = {
    **dict.fromkeys(("provide", "test", "conversation", "sessions", "compile", "format", "clippy"), ()),
    **dict.fromkeys(("docs", "bare", "proofs", "dependencies", "ratios", "layers", "packages"), ()),
    "python": (Venv(), Pip("ruff", "0.17.6")),
    "shell": (Program("shellcheck"),),
    "quotes": (RfcTexts(),),
    "layers": (),
    "readme": (Program("openssl"),),
    "licences": (Cargo("cargo-deny"),),
    "api": (Cargo("cargo-public-api"),),
    "field": (Program("openssl"),),
    # libfuzzer-sys is C++.
    "fuzz": (Cargo("cargo-fuzz"), Program("c++", ("g++",))),
    "instructions": (Program("valgrind"), Cargo("gungraun-runner", library="gungraun")),
    "peers": PEERS,
    "servers": SERVERS,
    "interop": SERVERS,
    "probe": SERVERS,
    "clients": CLIENTS,
    "round-trips": (SMTP_SOURCE,),
}


def missing(*steps):
    """What is needed and not here, each thing once."""
    return [
        thing
        for thing in dict.fromkeys(thing for step in steps for thing in STEPS[step])
        if not thing.is_here()
    ]


def advice(step, things):
    return f"{step}: missing {', '.join(map(str, things))}; `ci/run provide {step}` installs it"


def main(argv):
    parser = argparse.ArgumentParser(
        prog="lab provide", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "steps", nargs="*", metavar="STEP", help=", ".join(step for step, things in STEPS.items() if things)
    )
    parser.add_argument(
        "--check", action="store_true", help="install nothing; print missing tools, and fail if there are any"
    )
    parser.add_argument("--but-cargo", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    steps = arguments.steps or list(STEPS)
    if unknown := [step for step in steps if step not in STEPS]:
        parser.error(f"no such step: {', '.join(unknown)}")
    if arguments.check:
        lacking = [(step, things) for step in steps if (things := missing(step))]
        for step, things in lacking:
            print(advice(step, things), file=sys.stderr)
        return 1 if lacking else 0
    install(missing(*steps), steps, arguments.but_cargo)
    left = [str(thing) for thing in missing(*steps) if not (arguments.but_cargo and isinstance(thing, Cargo))]
    if left:
        print(f"provide: still missing: {', '.join(left)}", file=sys.stderr)
    return 1 if left else 0


def install(things, steps, but_cargo):
    """Installs things: as root what needs root, the tools of cargo as the user who calls."""
    tools = [] if but_cargo else [thing for thing in things if isinstance(thing, Cargo)]
    others = [thing for thing in things if not isinstance(thing, Cargo)]
    needs_root = (
        any(not isinstance(thing, Npm | Pip) for thing in others)
        or HOME.exists()
        and not os.access(HOME, os.W_OK)
    )
    if others and needs_root and os.geteuid() != 0:
        package = f"PYTHONPATH={Path(__file__).parents[1]}"
        quietly(
            "sudo",
            "-n",
            "env",
            f"PEERS_HOME={HOME}",
            package,
            sys.executable,
            "-B",
            "-m",
            "lab",
            "provide",
            "--but-cargo",
            *steps,
        )
    elif others:
        install_system(others)
    for tool in tools:
        print(f"provide: {tool.name}", flush=True)
        tool.install()


def install_system(things):
    os.umask(0o022)
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Another process may have installed some of them meanwhile.
        things = [thing for thing in things if not thing.is_here()]
        print(f"provide: {', '.join(map(str, things))}", flush=True)
        packages = dict.fromkeys(
            package for thing in things if hasattr(thing, "debian") for package in thing.debian()
        )
        if packages:
            install_debian(packages)
        for release in ("stable", "backports"):
            names = [
                thing.name for thing in things if isinstance(thing, Unpacked) and thing.release == release
            ]
            if names:
                unpack(release, names)
        for thing in things:
            if isinstance(thing, Account):
                home = ("--no-create-home", "--home", "/nonexistent")
                quietly("adduser", "--system", "--group", *home, "--force-badname", thing.name)
            elif isinstance(thing, Npm | Pip | RfcTexts):
                thing.install()


def install_debian(packages):
    """Installs packages; none is removed for them, and no service of theirs starts."""
    quietly("debconf-set-selections", text="postfix postfix/main_mailer_type select No configuration\n")
    apt("update")
    policy = Path("/usr/sbin/policy-rc.d")
    with contextlib.ExitStack() as stack:
        if not policy.exists():
            policy.write_text("#!/bin/sh\nexit 101\n")
            stack.callback(policy.unlink)
            policy.chmod(0o755)
        apt("install", "-y", "--no-remove", "--no-install-recommends", *packages)


def unpack(release, names):
    options = backports() if release == "backports" else ()
    apt("update", options=options)
    for name in names:
        folder = HOME / "unpacked" / release / name
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=HOME) as parts:
            Path(parts).chmod(0o755)
            apt("download", name, options=(*options, "-o", "APT::Sandbox::User=root"), cwd=parts)
            for archive in Path(parts).glob("*.deb"):
                content = Path(parts) / "content"
                if quietly("dpkg-deb", "-x", archive, content):
                    shutil.rmtree(folder, ignore_errors=True)
                    content.rename(folder)


def backports():
    """The options of apt that read the backports of this machine's release, and nothing else."""
    release = dict(
        line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line
    )
    codename = release["VERSION_CODENAME"].strip('"')
    command = ["apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages"]
    targets = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    mirror = next(line.split(" ", 1)[1] for line in targets if line.startswith(f"{codename} "))
    sources = HOME / "backports.list"
    sources.write_text(f"deb {mirror} {codename}-backports main\n")
    (HOME / "apt/partial").mkdir(parents=True, exist_ok=True)
    settings = (
        f"Dir::Etc::sourcelist={sources}",
        "Dir::Etc::sourceparts=/dev/null",
        f"Dir::State::Lists={HOME / 'apt'}",
    )
    return [word for setting in settings for word in ("-o", setting)]


def apt(*arguments, options=(), cwd=None):
    return quietly("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", *options, *arguments, cwd=cwd)


def quietly(*command, text=None, cwd=None):
    """Runs a command, whose output is shown only if it fails; what is missing then is found afterwards."""
    command = [str(word) for word in command]
    if not which(command[0]):
        print(f"provide: no {command[0]}", file=sys.stderr)
        return False
    source = {"input": text} if text is not None else {"stdin": subprocess.DEVNULL}
    done = subprocess.run(
        command,
        **source,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=cwd,
        env=ENVIRONMENT,
    )
    if done.returncode:
        print("\n".join(done.stdout.splitlines()[-20:]), file=sys.stderr)
        print(f"provide: failed: {' '.join(command)}", file=sys.stderr)
    return done.returncode == 0
