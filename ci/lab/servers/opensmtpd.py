"""OpenSMTPD."""

import shutil
import subprocess

from lab.servers.server import LOGIN, REFUSED, Server, apart, unpacked

CONFIGURATION = """\
pki localhost cert "{certificate.chain}"
pki localhost key "{key}"
table credentials file:{folder}/credentials
table mailboxes {{ "@" = "nobody" }}
listen on 127.0.0.1 port {ports[plain]} hostname mx.test tls pki localhost
listen on 127.0.0.1 port {ports[submission]} hostname mx.test tls-require pki localhost auth <credentials>
listen on 127.0.0.1 port {ports[implicit]} hostname mx.test smtps pki localhost auth <credentials>
action "box" maildir "{folder}/mail" virtual <mailboxes>
match from any for rcpt-to "{refused}" reject
match from any for domain "test" action "box"
"""


class OpenSmtpd(Server):
    title = "OpenSMTPD 7.4"
    doors = ("plain", "submission", "implicit")
    auth_door = "submission"
    mechanisms = ("PLAIN", "LOGIN")

    def configure(self):
        self.mail.mkdir(exist_ok=True)
        shutil.chown(self.mail, "nobody", "nogroup")
        name, password = LOGIN
        made = subprocess.run(
            ["openssl", "passwd", "-6", password], capture_output=True, text=True, check=True
        )
        (self.folder / "credentials").write_text(f"{name} {made.stdout}")
        configuration = self.folder / "smtpd.conf"
        facts = {
            "folder": self.folder,
            "ports": self.ports,
            "certificate": self.certificate,
            "refused": REFUSED,
        }
        configuration.write_text(
            CONFIGURATION.format(key=self.certificate.private_key(self.folder / "key.pem"), **facts)
        )
        # Its places are compiled in: an empty queue, the programs that deliver, an empty root, and where
        # it can be controlled.
        release = unpacked("backports", "opensmtpd")
        for folder in ("/var/spool/smtpd", "/var/lib/opensmtpd/empty", "/usr/libexec/opensmtpd"):
            subprocess.run(["mkdir", "-p", folder], check=True)
        script = f"""
            mount --bind {release}/usr/libexec/opensmtpd /usr/libexec/opensmtpd
            mount -t tmpfs -o mode=711 tmpfs /var/spool/smtpd
            mount -t tmpfs -o mode=755 tmpfs /run"""
        return apart(script, release / "usr/sbin/smtpd", "-d", "-f", configuration)
