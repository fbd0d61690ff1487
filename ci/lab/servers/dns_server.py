"""NSD on loopback, with zones for what goes well and what does not."""

from lab.checks import wait_until
from lab.programs import Program, free_port
from lab.servers.server import unpacked

CONFIGURATION = """\
server:
  ip-address: 127.0.0.1
  port: {port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/pid"
  zonelistfile: "{folder}/zone.list"
  xfrdfile: "{folder}/xfrd.state"
  xfrdir: "{folder}"
  logfile: "{folder}/log"
  hide-version: yes
remote-control:
  control-enable: no
"""

ZONE = """\
$TTL 60
@ SOA ns.test. hostmaster.test. 1 3600 600 86400 60
@ NS ns.test.
"""

ZONES = {
    "test": """\
ns A 127.0.0.1
; the mail servers are here
mx A 127.0.0.1
aiosmtpd A 127.0.0.1
; a client as it should be
client A 192.0.2.10
six AAAA 2001:db8::10
; a name that has another address
elsewhere A 192.0.2.99
; addresses without a name, with one that leads elsewhere, with one that nobody knows, with several
missing A 192.0.2.20
mismatch A 192.0.2.30
other A 192.0.2.99
dangling A 192.0.2.31
several A 192.0.2.40
first A 192.0.2.99
; a name that a provider gives to every address
192-0-2-50.pool A 192.0.2.50
; an address whose reverse zone is delegated by an alias, RFC 2317
alias A 192.0.2.60
; an address whose reverse zone fails, and addresses whose names do
failing A 198.51.100.1
broken-name A 192.0.2.70
""",
    "2.0.192.in-addr.arpa": """\
10 PTR client.test.
30 PTR other.test.
31 PTR gone.test.
40 PTR first.test.
40 PTR several.test.
50 PTR 192-0-2-50.pool.test.
60 CNAME 60.0-127
60.0-127 PTR alias.test.
70 PTR name.broken.
""",
    "8.b.d.0.1.0.0.2.ip6.arpa": "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 PTR six.test.\n",
}
# What is asked there is answered with SERVFAIL, as the files of these zones are missing.
FAILING = ("100.51.198.in-addr.arpa", "broken")


class Nsd(Program):
    def __init__(self, work):
        super().__init__(work)
        self.folder = work / "nsd"
        self.folder.mkdir()

    def __enter__(self):
        log = self.folder / "log"
        for zone, records in ZONES.items():
            (self.folder / zone).write_text(ZONE + records)
        for _ in range(3):  # another program may take a port that was found free
            port = free_port()
            self.address = f"127.0.0.1:{port}"
            zones = "".join(f'zone:\n  name: "{zone}"\n  zonefile: "{zone}"\n' for zone in (*ZONES, *FAILING))
            configuration = self.folder / "nsd.conf"
            configuration.write_text(CONFIGURATION.format(port=port, folder=self.folder) + zones)
            self.command = [str(unpacked("stable", "nsd") / "usr/sbin/nsd"), "-d", "-c", str(configuration)]
            self._start()
            try:
                wait_until(
                    lambda: self.ended() or (log.exists() and "nsd started" in log.read_text()),
                    20,
                    "nsd does not start",
                )
            except BaseException:
                self.end()
                raise
            if not self.ended():
                return self
        raise AssertionError(
            f"nsd does not start: {self.errors[-3:]} {log.read_text()[-300:] if log.exists() else ''}"
        )
