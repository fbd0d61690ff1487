"""Exim: of Debian, and the newer one of its backports."""

import shutil

from lab.servers.server import LOGIN, REFUSED, Server, unpacked

CONFIGURATION = """\
exim_user = root
exim_group = root
never_users =
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/pid
primary_hostname = mx.test
local_interfaces = 127.0.0.1
daemon_smtp_ports = {ports[plain]} : {ports[implicit]}
tls_on_connect_ports = {ports[implicit]}
domainlist local_domains = test
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = accept
acl_smtp_vrfy = accept
acl_smtp_expn = accept
acl_smtp_etrn = accept
tls_advertise_hosts = *
tls_certificate = {certificate.chain}
tls_privatekey = {certificate.key}
chunking_advertise_hosts = *
pipelining_connect_advertise_hosts = *
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
prdr_enable = true
smtp_accept_max = 0
host_lookup =
rfc1413_query_timeout = 0s
keep_environment =
begin acl
acl_rcpt:
  deny
    condition = ${{if eqi{{$local_part@$domain}}{{{refused}}}}}
    message = 5.1.1 no such mailbox
  accept
begin routers
local:
  driver = accept
  domains = +local_domains
  transport = box
begin transports
box:
  driver = appendfile
  directory = {folder}/mail
  maildir_format
  create_directory
  user = nobody
  group = nogroup
begin retry
* * F,1h,10m
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{name}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2
  server_advertise_condition = ${{if def:tls_in_cipher}}
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = <| Username: | Password:
  server_condition = ${{if and{{{{eq{{$auth1}}{{{name}}}}}{{eq{{$auth2}}{{{password}}}}}}}}}
  server_set_id = $auth1
  server_advertise_condition = ${{if def:tls_in_cipher}}
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${{if eq{{$auth1}}{{{name}}}{{{password}}}fail}}
  server_set_id = $auth1
"""


class Exim(Server):
    title = "Exim 4.96"
    release = "stable"

    def configure(self):
        for name in ("spool", "log", "mail"):
            (self.folder / name).mkdir(exist_ok=True)
        shutil.chown(self.mail, "nobody", "nogroup")
        name, password = LOGIN
        configuration = self.folder / "exim.conf"
        configuration.write_text(
            CONFIGURATION.format(
                folder=self.folder,
                certificate=self.certificate,
                ports=self.ports,
                refused=REFUSED,
                name=name,
                password=password,
            )
        )
        exim = unpacked(self.release, "exim4-daemon-heavy") / "usr/sbin/exim4"
        return [exim, "-C", configuration, "-bdf", "-q1m", "-oP", self.folder / "pid"]


class Exim498(Exim):
    title = "Exim 4.98"
    release = "backports"
