"""Mail servers as clients of `receive`: Exim by BDAT, Postfix by LMTP."""

import shutil

from lab import maildir
from lab.checks import check, expect, expect_same, wait_until
from lab.clients.matrix import CONTENT, events
from lab.programs import Receive, run
from lab.servers.certificate import Certificate
from lab.servers.exim import Exim, Exim498
from lab.servers.postfix import Postfix
from lab.servers.server import unpacked

EXIM = """\
exim_path = {program}
exim_user = Debian-exim
exim_group = Debian-exim
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
primary_hostname = client.test
local_interfaces =
keep_environment =
smtputf8_advertise_hosts = *
begin routers
all:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = next
begin transports
next:
  driver = smtp
  port = {port}
  hosts_try_dane =
  tls_verify_certificates = {authority}
  tls_verify_hosts = *
"""


@check("{relay} relays to receive by BDAT inside TLS", limit=60, relay=("Exim 4.96", "Exim 4.98"))
def exim(work, relay):
    certificate = Certificate(work / "tls")
    release = {one.title: one.release for one in (Exim, Exim498)}[relay]
    with Receive(
        work, "--json", "--cert", certificate.chain, "--key", certificate.key, "--require-tls"
    ) as server:
        work.chmod(0o755)
        for name in ("spool", "log"):
            (work / name).mkdir()
            shutil.chown(work / name, "Debian-exim", "Debian-exim")
        configuration = work / "exim.conf"
        program = unpacked(release, "exim4-daemon-heavy") / "usr/sbin/exim4"
        configuration.write_text(
            EXIM.format(program=program, folder=work, port=server.port, authority=certificate.authority)
        )
        # It takes lines as Unix has them, and -i lets a line be a dot.
        sent = run(
            work,
            program,
            "-C",
            configuration,
            "-i",
            "-odf",
            "-f",
            "a@test",
            "u@test",
            content=CONTENT.replace(b"\r\n", b"\n"),
            code=None,
        )
        log = (work / "log/mainlog").read_text() if (work / "log/mainlog").exists() else sent.stderr.decode()
        wait_until(lambda: events(server, "message"), 20, f"no message: {log[-300:]}")
        [message] = events(server, "message")
        expect(message["protocol"] == "ESMTPS" and message["to"] == ["u@test"], f"{message}")
        # Exim notes a K for CHUNKING.
        wait_until(lambda: " K C=" in (work / "log/mainlog").read_text(), 10, f"not by BDAT: {log[-300:]}")
        [stored] = maildir.stored(server.maildir)
        body = stored.content.partition(b"\r\n\r\n")[2]
        expect_same(body, CONTENT.partition(b"\r\n\r\n")[2], "relayed")


class Relay(Postfix):
    """Postfix, which hands its mail on by LMTP."""

    doors = ("plain",)
    port = 0

    def configure(self):
        self.ports |= {"submission": 0, "implicit": 0}
        command = super().configure()
        etc = self.folder / "etc"
        with (etc / "main.cf").open("a") as file:
            file.write(
                f"virtual_transport = lmtp:inet:127.0.0.1:{self.port}\nlmtp_tls_security_level = none\n"
            )
        entries = (etc / "master.cf").read_text().split("\n127.0.0.1:0 ")
        rest = "pickup" + entries[-1].partition("\npickup")[2]
        (etc / "master.cf").write_text(f"{entries[0]}\n{rest}lmtp unix - - n - - lmtp\n")
        self.ports = {"plain": self.ports["plain"]}
        return command


@check("Postfix hands on to receive --lmtp, a reply for each recipient", limit=120)
def postfix(work):
    certificate = Certificate(work / "tls")
    work.chmod(0o755)
    with Receive(work, "--json", "--lmtp", "--reject", "no@test") as server:
        Relay.port = server.port
        with Relay(work / "relay", certificate) as relay:
            file = work / "letter"
            file.write_bytes(CONTENT.replace(b"\r\n", b"\n"))
            to = f"smtp://127.0.0.1:{relay.ports['plain']}/client.test"
            recipients = [word for one in ("u@test", "no@test", "v@test") for word in ("--mail-rcpt", one)]
            run(work, "curl", "-q", "-sS", to, "--mail-from", "a@test", *recipients, "--crlf", "-T", file)
            wait_until(lambda: events(server, "message"), 60, f"no message: {relay.lines[-5:]}")
            [message] = [one for one in events(server, "message") if one["from"] != "<>"]
            expect(
                message["protocol"] == "LMTP" and sorted(message["to"]) == ["u@test", "v@test"], f"{message}"
            )
            refused = [one["to"] for one in events(server, "rcpt") if one["code"] == 550]
            expect(refused == ["no@test"], f"refused {refused}")
        [stored] = [one for one in maildir.stored(server.maildir) if one.sender]
        body = stored.content.partition(b"\r\n\r\n")[2]
        expect_same(body, CONTENT.partition(b"\r\n\r\n")[2], "handed on")
