"""Dovecot: LMTP, and submission that hands on to Postfix."""

import shutil

from lab.servers.postfix import Postfix
from lab.servers.server import LOGIN, Server

CONFIGURATION = """\
base_dir = {folder}/base
state_dir = {folder}/state
log_path = {folder}/log
listen = 127.0.0.1
protocols = {protocol}
hostname = mx.test
ssl = yes
ssl_cert = <{certificate.chain}
ssl_key = <{certificate.key}
disable_plaintext_auth = yes
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 1
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = passwd-file
  args = {folder}/users
}}
"""

LMTP = """\
service lmtp {{
  inet_listener lmtp {{
    port = {ports[plain]}
  }}
  inet_listener lmtps {{
    port = {ports[implicit]}
    ssl = yes
  }}
}}
"""

SUBMISSION = """\
submission_relay_host = 127.0.0.1
submission_relay_port = {relay}
service submission-login {{
  inet_listener submission {{
    port = {ports[submission]}
  }}
  inet_listener submissions {{
    port = {ports[implicit]}
    ssl = yes
  }}
}}
"""

MAILBOXES = ("u", "one", "two", "three", "four", "five")


class DovecotLmtp(Server):
    title = "Dovecot 2.3 LMTP"
    lmtp = True
    auth_door = None
    mechanisms = ()
    protocol = "lmtp"
    services = LMTP

    def configure(self):
        self.mail.mkdir(exist_ok=True)
        shutil.chown(self.mail, "nobody", "nogroup")
        users = [f"{name}@test" for name in MAILBOXES] + [LOGIN[0]]
        (self.folder / "users").write_text(
            "".join(f"{user}::65534:65534::{self.mail}/{user}::\n" for user in users)
        )
        facts = {
            "folder": self.folder,
            "certificate": self.certificate,
            "ports": self.ports,
            "protocol": self.protocol,
        }
        mechanisms = " ".join(self.mechanisms or ("PLAIN",)).lower()
        configuration = self.folder / "dovecot.conf"
        configuration.write_text(
            (CONFIGURATION + self.services).format(
                password=LOGIN[1], mechanisms=mechanisms, relay=self.relay(), **facts
            )
        )
        return ["dovecot", "-F", "-c", configuration]

    def relay(self):
        return None


class DovecotSubmission(DovecotLmtp):
    title = "Dovecot 2.3 submission"
    doors = ("submission", "implicit")
    lmtp = False
    auth_door = "submission"
    mechanisms = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256")
    protocol = "submission"
    services = SUBMISSION

    def __enter__(self):
        self.behind = Postfix(self.folder, self.certificate)
        self.behind.__enter__()
        try:
            super().__enter__()
        except BaseException:
            self.behind.end()
            raise
        self.mail = self.behind.mail
        return self

    def relay(self):
        return self.behind.ports["plain"]

    def __exit__(self, *reason):
        super().__exit__(*reason)
        self.behind.__exit__(*reason)
