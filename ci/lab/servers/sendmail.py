"""Sendmail."""

import subprocess

from lab.servers.postfix import passwords
from lab.servers.server import REFUSED, Server, apart, unpacked

CONFIGURATION = """\
divert(0)dnl
define(`_USE_ETC_MAIL_')dnl
include(`{cf}/m4/cf.m4')dnl
define(`PROCMAIL_MAILER_PATH', `{folder}/deliver')dnl
OSTYPE(`linux')dnl
FEATURE(`no_default_msa')dnl
define(`confDONT_BLAME_SENDMAIL', `TrustStickyBit')dnl
define(`confPID_FILE', `{folder}/pid')dnl
define(`QUEUE_DIR', `{folder}/queue')dnl
define(`STATUS_FILE', `{folder}/statistics')dnl
undefine(`ALIAS_FILE')dnl
define(`HELP_FILE', `{folder}/helpfile')dnl
define(`confDOMAIN_NAME', `mx.test')dnl
define(`confTO_IDENT', `0')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confDELAY_LA', `0')dnl
define(`confBAD_RCPT_THROTTLE', `0')dnl
define(`confSERVER_CERT', `{certificate.chain}')dnl
define(`confSERVER_KEY', `{key}')dnl
define(`confCACERT_PATH', `{folder}')dnl
define(`confCACERT', `{certificate.authority}')dnl
define(`confAUTH_MECHANISMS', `{mechanisms}')dnl
define(`confAUTH_OPTIONS', `p')dnl
DAEMON_OPTIONS(`Family=inet, Name=MTA, Port={ports[plain]}, Addr=127.0.0.1')dnl
DAEMON_OPTIONS(`Family=inet, Name=TLSMTA, Port={ports[implicit]}, Addr=127.0.0.1, M=s')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`accept_unqualified_senders')dnl
FEATURE(`promiscuous_relay')dnl
define(`LOCAL_MAILER_PATH', `{folder}/deliver')dnl
define(`LOCAL_MAILER_ARGS', `deliver $u')dnl
define(`LUSER_RELAY', `local:nobody')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
LOCAL_CONFIG
Cwtest
LOCAL_RULESETS
SLocal_check_rcpt
R$*{refused}$*\t$#error $@ 5.1.1 $: "550 no such mailbox"
"""

# One file for each message, there from the moment it is complete.
DELIVER = """\
#!/bin/sh
cat >{mail}/tmp/$$.eml && mv {mail}/tmp/$$.eml {mail}/new/$(date +%s%N).$$.eml
"""


class Sendmail(Server):
    title = "Sendmail 8.17"
    mechanisms = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256")

    def configure(self):
        for name in ("queue", "sasl", "mail", "mail/tmp", "mail/new"):
            (self.folder / name).mkdir(exist_ok=True)
        (self.folder / "queue").chmod(0o700)
        for folder in ("mail/tmp", "mail/new"):
            (self.folder / folder).chmod(0o1777)
        for name in ("statistics", "helpfile"):
            (self.folder / name).touch()
        deliver = self.folder / "deliver"
        deliver.write_text(DELIVER.format(mail=self.mail))
        deliver.chmod(0o755)
        passwords(self.folder / "sasl", "Sendmail", self.mechanisms).chmod(0o640)
        (self.folder / "sasl/Sendmail.conf").chmod(0o640)

        cf = unpacked("stable", "sendmail-cf") / "usr/share/sendmail/cf"
        source, configuration = self.folder / "sendmail.mc", self.folder / "sendmail.cf"
        source.write_text(
            CONFIGURATION.format(
                cf=cf,
                folder=self.folder,
                certificate=self.certificate,
                ports=self.ports,
                refused=REFUSED,
                key=self.certificate.private_key(self.folder / "key.pem"),
                mechanisms=" ".join(self.mechanisms),
            )
        )
        made = subprocess.run(["m4", f"-D_CF_DIR_={cf}/", source], capture_output=True, check=True)
        configuration.write_bytes(made.stdout)
        sendmail = unpacked("stable", "sendmail-bin") / "usr/libexec/sendmail/sendmail"
        subprocess.run(["mkdir", "-p", "/etc/sasl2"], check=True)
        # It waits a minute for a host name with a dot, and reads its passwords where Debian has them.
        script = f"hostname mx.test\nmount --bind {self.folder}/sasl /etc/sasl2"
        return apart(script, sendmail, "-C", configuration, "-bD", "-q1m")
