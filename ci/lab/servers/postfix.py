"""Postfix: of Debian, and the newer one of its backports."""

import pwd
import shutil
import subprocess

from lab.servers.server import LOGIN, REFUSED, Server, apart, unpacked

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
mail_owner = postfix
setgid_group = postdrop
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
meta_directory = /etc/postfix
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.test
mydestination =
mynetworks = 127.0.0.0/8
# Nothing is rewritten or added because a client is local.
local_header_rewrite_clients =
alias_maps =
alias_database =
virtual_mailbox_domains = test
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:box/
virtual_mailbox_limit = 0
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
message_size_limit = 52428800
smtpd_recipient_restrictions = check_recipient_access inline:{{ {{ {refused} = 550 5.1.1 no such mailbox }} }}
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_client_connection_rate_limit = 0
default_transport = error:nothing leaves this machine
smtpd_tls_cert_file = {certificate.chain}
smtpd_tls_key_file = {certificate.key}
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
cyrus_sasl_config_path = {folder}/etc/sasl
smtpd_sasl_auth_enable = yes
smtpd_sasl_local_domain = mx.test
smtputf8_enable = yes
"""

MASTER = """\
127.0.0.1:{ports[plain]} inet n - n - - smtpd
  -o smtpd_forbid_bare_newline=yes -o smtpd_forbid_bare_newline_exclusions= -o smtpd_forbid_unauth_pipelining=yes
127.0.0.1:{ports[submission]} inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
127.0.0.1:{ports[implicit]} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix(Server):
    title = "Postfix 3.7"
    doors = ("plain", "submission", "implicit")
    mechanisms = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256")

    def configure(self):
        account = pwd.getpwnam("postfix")
        for name in ("etc/sasl", "spool", "data", "mail/box"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        shutil.chown(self.folder / "data", account.pw_uid)
        for folder in (self.mail, self.mail / "box"):
            shutil.chown(folder, 65534, 65534)
        facts = {
            "folder": self.folder,
            "certificate": self.certificate,
            "ports": self.ports,
            "refused": REFUSED,
        }
        (self.folder / "etc/main.cf").write_text(MAIN.format(**facts))
        (self.folder / "etc/master.cf").write_text(MASTER.format(**facts))
        shutil.chown(passwords(self.folder / "etc/sasl", "smtpd", self.mechanisms), account.pw_uid)
        # `check` makes the folders of the queue; master stays in the foreground with -d only, when its
        # parent is not init.
        configuration = self.folder / "etc"
        return [
            "sh",
            "-ec",
            f"postfix -c {configuration} check; exec /usr/lib/postfix/sbin/master -c {configuration} -d",
        ]


class Postfix310(Postfix):
    title = "Postfix 3.10"

    def configure(self):
        # Its programs know each other by their places.
        release = unpacked("backports", "postfix")
        script = f"""
            mount --bind {release}/usr/lib/postfix /usr/lib/postfix
            mount --bind {release}/etc/postfix /etc/postfix
            for program in {release}/usr/sbin/*; do
                if [ -e "/usr/sbin/${{program##*/}}" ]; then mount --bind "$program" "/usr/sbin/${{program##*/}}"; fi
            done"""
        return apart(script, *super().configure())


def passwords(folder, service, mechanisms):
    """The configuration of Cyrus SASL for a service, and its file of passwords, which is returned."""
    name, password = LOGIN
    database = folder / "sasldb2"
    (folder / f"{service}.conf").write_text(
        f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {database}\nmech_list: {' '.join(mechanisms)}\n"
    )
    database.unlink(missing_ok=True)
    subprocess.run(
        ["saslpasswd2", "-p", "-c", "-f", database, "-u", "mx.test", name],
        input=password.encode(),
        check=True,
        capture_output=True,
    )
    return database
