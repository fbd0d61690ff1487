"""The mail clients: what each can do, and how it is told to send one letter."""

import shutil
import smtplib
import ssl
import subprocess
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from lab.cargo import FOREIGN, LETTRE, LETTRE_MANIFEST
from lab.programs import environment, run
from lab.provide import HOME
from lab.wire import stuffed

NAME, PASSWORD = "user", "s3cr3t-t0ken"
SECURITIES = ("without TLS", "STARTTLS", "implicit TLS")


@dataclass
class Letter:
    """One message to be sent: from a@test to u@test, to 127.0.0.1, in the name of client.test."""

    work: Path
    port: int
    content: bytes  # with CRLF
    security: str = "without TLS"
    mechanism: str = ""  # none
    authority: Path = Path("/nonexistent")
    sender: str = "a@test"
    recipient: str = "u@test"

    @property
    def file(self):
        path = self.work / "letter"
        path.write_bytes(self.content)
        return path

    @property
    def unix(self):
        return self.content.replace(b"\r\n", b"\n")

    @property
    def positional(self):
        return self.port, self.security, self.mechanism or "-", self.authority, NAME, PASSWORD

    def by_security(self, clear, starttls, implicit):
        return dict(zip(SECURITIES, (clear, starttls, implicit)))[self.security]


@dataclass
class Client:
    """A client: `send` takes a letter, `mechanisms` are those that it has and the server too."""

    title: str
    send: object
    version: list
    mechanisms: tuple = ()
    securities: tuple = SECURITIES
    # Those that it does not use outside TLS, whatever it is told.
    inside: tuple = ()
    # It greets with HELO where it needs no extension.
    helo: bool = False
    # It stuffs dots in chunks too, where RFC 3030 has none.
    stuffs: bool = False

    def ways(self):
        """Every security, each with every mechanism, of which none is one."""
        for security in self.securities:
            for mechanism in ("", *self.mechanisms):
                if security != "without TLS" or mechanism not in self.inside:
                    yield security, mechanism


CLIENTS = []


def client(title, version, *mechanisms, **more):
    def register(send):
        CLIENTS.append(Client(title, send, [str(word) for word in version], mechanisms, **more))
        return send

    return register


@client("swaks", ("swaks", "--version"), "PLAIN", "LOGIN", "CRAM-MD5")
def swaks(letter, *more, timeout=25):
    tls = letter.by_security((), ("--tls",), ("--tls-on-connect",))
    verify = ("--tls-verify", "--tls-ca-path", letter.authority) if tls else ()
    auth = (
        ("--auth", letter.mechanism, "--auth-user", NAME, "--auth-password", PASSWORD)
        if letter.mechanism
        else ()
    )
    to = (
        "--server",
        f"127.0.0.1:{letter.port}",
        "--helo",
        "client.test",
        "-f",
        letter.sender,
        "-t",
        letter.recipient,
    )
    run(letter.work, "swaks", *to, *tls, *verify, *auth, *more, "-d", f"@{letter.file}", timeout=timeout)


@client(
    "msmtp",
    ("msmtp", "--version"),
    "PLAIN",
    "LOGIN",
    "CRAM-MD5",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "OAUTHBEARER",
    "XOAUTH2",
)
def msmtp(letter, *more, timeout=25):
    tls = letter.by_security(
        ("--tls=off",), ("--tls=on", "--tls-starttls=on"), ("--tls=on", "--tls-starttls=off")
    )
    verify = (f"--tls-trust-file={letter.authority}",) if letter.security != "without TLS" else ()
    auth = (
        (f"--auth={letter.mechanism.lower()}", f"--user={NAME}", f"--passwordeval=echo {PASSWORD}")
        if letter.mechanism
        else ()
    )
    to = ("--host=127.0.0.1", f"--port={letter.port}", "--domain=client.test", "-f", letter.sender)
    run(
        letter.work,
        "msmtp",
        *to,
        *tls,
        *verify,
        *auth,
        *more,
        "--",
        letter.recipient,
        content=letter.unix,
        timeout=timeout,
    )


@client("curl", ("curl", "--version"), "PLAIN", "LOGIN", "CRAM-MD5", "OAUTHBEARER")
def curl(letter, *more, timeout=25):
    scheme = letter.by_security("smtp", "smtp", "smtps")
    tls = ("--ssl-reqd",) if letter.security == "STARTTLS" else ()
    verify = ("--cacert", letter.authority) if letter.security != "without TLS" else ()
    auth = ()
    if letter.mechanism:
        proof = (
            ("--oauth2-bearer", PASSWORD, "--user", NAME)
            if letter.mechanism == "OAUTHBEARER"
            else ("--user", f"{NAME}:{PASSWORD}")
        )
        auth = (*proof, "--login-options", f"AUTH={letter.mechanism}")
    to = (
        "-q",
        "-sS",
        f"{scheme}://127.0.0.1:{letter.port}/client.test",
        "--mail-from",
        letter.sender,
        "--mail-rcpt",
        letter.recipient,
    )
    run(letter.work, "curl", *to, *tls, *verify, *auth, *more, "-T", letter.file, timeout=timeout)


@client("openssl s_client", ("openssl", "version"), "PLAIN", securities=SECURITIES[1:])
def openssl(letter):
    starttls = ("-starttls", "smtp", "-name", "client.test") if letter.security == "STARTTLS" else ()
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{letter.port}", *starttls]
    command += [
        "-CAfile",
        str(letter.authority),
        "-verify_return_error",
        "-verify_ip",
        "127.0.0.1",
        "-quiet",
        "-no_ign_eof",
    ]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(letter.work),
    ) as program:

        def expect(code):
            while line := program.stdout.readline():
                if line[3:4] != b"-":
                    break
            if not line.startswith(code):
                program.kill()
                raise AssertionError(f"openssl: {line!r} for {code}: {program.stderr.read()[-300:]}")

        def say(data, code):
            program.stdin.write(data)
            program.stdin.flush()
            expect(code)

        # After STARTTLS nothing is shown before the client speaks; with TLS from the first byte there
        # is a greeting.
        if letter.security != "STARTTLS":
            expect(b"220")
        say(b"EHLO client.test\r\n", b"250")
        if letter.mechanism:
            say(b"AUTH PLAIN " + b64encode(f"\0{NAME}\0{PASSWORD}".encode()) + b"\r\n", b"235")
        say(b"MAIL FROM:<a@test> BODY=8BITMIME\r\n", b"250")
        # A line that begins with R or Q is a command for s_client itself, unless all of it is quiet.
        say(b"rcpt TO:<u@test>\r\n", b"250")
        say(b"DATA\r\n", b"354")
        say(stuffed(letter.content) + b".\r\n", b"250")
        say(b"quit\r\n", b"221")
        program.stdin.close()
        program.wait(10)


@client(
    "s-nail", ("s-nail", "--version"), "PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", inside=("XOAUTH2",), helo=True
)
def s_nail(letter):
    scheme = letter.by_security("smtp", "smtp", "smtps")
    login = f"{NAME}:{PASSWORD}@" if letter.mechanism else ""
    # What it calls OAUTHBEARER is XOAUTH2 on the wire.
    auth = {"": "none", "XOAUTH2": "oauthbearer"}.get(letter.mechanism, letter.mechanism.lower())
    settings = [
        f"mta={scheme}://{login}localhost:{letter.port}",
        f"smtp-auth={auth}",
        "hostname=client.test",
        "from=a@test",
    ]
    settings += [
        "v15-compat=yes",
        "sendwait",
        "mime-encoding=8b",
        "ttycharset=utf-8",
        "sendcharsets=utf-8",
        "smtp-from=a@test",
    ]
    settings += ["tls-verify=strict", f"tls-ca-file={letter.authority}", "tls-ca-no-defaults"]
    settings += ["smtp-use-starttls"] if letter.security == "STARTTLS" else []
    body = letter.unix.partition(b"\n\n")[2]
    run(
        letter.work,
        "s-nail",
        "-:/",
        *(f"-S{one}" for one in settings),
        "-r",
        "a@test",
        "-s",
        "letter",
        "u@test",
        content=body,
    )


@client(
    "mutt",
    ("mutt", "-v"),
    "PLAIN",
    "LOGIN",
    "CRAM-MD5",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "OAUTHBEARER",
    "XOAUTH2",
)
def mutt(letter):
    scheme = letter.by_security("smtp", "smtp", "smtps")
    login = f"{NAME}@" if letter.mechanism else ""
    lines = [
        f'set smtp_url="{scheme}://{login}127.0.0.1:{letter.port}" smtp_pass="{PASSWORD}" smtp_oauth_refresh_command="echo {PASSWORD}"',
        f'set smtp_authenticators="{letter.mechanism.lower()}" hostname=client.test from=a@test use_from=yes use_envelope_from=yes',
        "set copy=no allow_8bit=yes charset=utf-8 send_charset=utf-8 ssl_verify_host=yes ssl_verify_dates=yes",
        f'set certificate_file="{letter.authority}" ssl_usesystemcerts=no ssl_ca_certificates_file="{letter.authority}"',
        f"set ssl_starttls={'yes' if letter.security == 'STARTTLS' else 'no'} ssl_force_tls={'no' if letter.security == 'without TLS' else 'yes'}",
    ]
    settings = letter.work / "muttrc"
    settings.write_text("\n".join(lines) + "\n")
    body = letter.unix.partition(b"\n\n")[2]
    run(letter.work, "mutt", "-n", "-F", settings, "-s", "letter", "--", "u@test", content=body)


@client(
    "Net::SMTP (Perl)",
    ("perl", "-MNet::SMTP", "-e", "print Net::SMTP->VERSION"),
    "PLAIN",
    "LOGIN",
    "CRAM-MD5",
)
def net_smtp_of_perl(letter):
    run(letter.work, "perl", FOREIGN / "net_smtp.pl", *letter.positional, content=letter.unix)


@client("smtplib (Python)", ("python3", "--version"), "PLAIN", "LOGIN", "CRAM-MD5")
def smtplib_of_python(letter, mail_options=(), rcpt_options=(), timeout=20):
    context = ssl.create_default_context(
        cafile=letter.authority if letter.security != "without TLS" else None
    )
    kind, tls = (
        (smtplib.SMTP_SSL, {"context": context}) if letter.security == "implicit TLS" else (smtplib.SMTP, {})
    )
    with kind("127.0.0.1", letter.port, local_hostname="client.test", timeout=timeout, **tls) as session:
        session.ehlo()
        if letter.security == "STARTTLS":
            session.starttls(context=context)
            session.ehlo()
        if letter.mechanism:
            session.user, session.password = NAME, PASSWORD
            session.auth(
                letter.mechanism, getattr(session, "auth_" + letter.mechanism.lower().replace("-", "_"))
            )
        options = [*mail_options, "BODY=8BITMIME"]
        refused = session.sendmail(
            letter.sender, [letter.recipient], letter.content, options, list(rcpt_options)
        )
        if refused:
            raise AssertionError(f"smtplib: {refused}")


@client(
    "Net::SMTP (Ruby)", ("ruby", "-rnet/smtp", "-e", "puts Net::SMTP::VERSION"), "PLAIN", "LOGIN", "CRAM-MD5"
)
def net_smtp_of_ruby(letter):
    run(letter.work, "ruby", FOREIGN / "net_smtp.rb", *letter.positional, content=letter.unix)


NODEMAILER = HOME / "npm/nodemailer/node_modules/nodemailer"


@client(
    "nodemailer",
    ("node", "-p", f"require('{NODEMAILER}/package.json').version"),
    "PLAIN",
    "LOGIN",
    "CRAM-MD5",
    "XOAUTH2",
)
def nodemailer(letter, dsn=None, timeout=25):
    import json

    facts = {
        "port": letter.port,
        "security": letter.security,
        "mechanism": letter.mechanism,
        "name": NAME,
        "password": PASSWORD,
        "dsn": dsn,
        "file": str(letter.file),
        "envelope": {"from": letter.sender, "to": [letter.recipient]},
        "authority": str(letter.authority) if letter.security != "without TLS" else "/dev/null",
    }
    run(
        letter.work,
        "node",
        FOREIGN / "nodemailer.js",
        NODEMAILER,
        content=json.dumps(facts).encode(),
        timeout=timeout,
    )


JARS = "/usr/share/java/jakarta-mail.jar:/usr/share/java/jakarta-activation.jar"


def jakarta(letter, chunk):
    classes = letter.work / "classes"
    source, compiled = FOREIGN / "Mail.java", HOME / "java"
    if (
        not (compiled / "Mail.class").exists()
        or (compiled / "Mail.class").stat().st_mtime < source.stat().st_mtime
    ):
        run(letter.work, "javac", "-cp", JARS, "-d", classes, source, timeout=60)
        shutil.copytree(classes, compiled, dirs_exist_ok=True)
    options = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{JARS}:{compiled}")
    run(letter.work, "java", *options, "Mail", *letter.positional, letter.file, chunk)


@client(
    "Jakarta Mail",
    ("dpkg-query", "-W", "-f", "${Version}", "libjakarta-mail-java"),
    "PLAIN",
    "LOGIN",
    "CRAM-MD5",
    "XOAUTH2",
)
def jakarta_mail(letter):
    jakarta(letter, 0)


@client(
    "Jakarta Mail by BDAT",
    ("dpkg-query", "-W", "-f", "${Version}", "libjakarta-mail-java"),
    "PLAIN",
    stuffs=True,
)
def jakarta_mail_by_chunks(letter):
    jakarta(letter, 64)


@client(
    "lettre",
    ("sed", "-n", 's/^lettre = { version = "=\\([^"]*\\)".*/\\1/p', LETTRE_MANIFEST),
    "PLAIN",
    "LOGIN",
    "XOAUTH2",
)
def lettre(letter):
    run(letter.work, LETTRE, *letter.positional, content=letter.content)
