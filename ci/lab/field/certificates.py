"""The certificates of the servers that cases name, made anew for each run."""

import shutil
import subprocess

NAMES = "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:mx.test"
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
# Signed by the authority, and what each of them has besides its subject.
SIGNED = {"good": NAMES, "cnonly": ""}
# Signed by themselves.
OWN = {
    "self": (*CURVE, "-addext", NAMES),
    "selfee": (*CURVE, "-addext", NAMES, "-addext", "basicConstraints=critical,CA:FALSE"),
    "rsa": ("-newkey", "rsa:2048", "-nodes", "-addext", NAMES),
}


def can_be_made():
    return shutil.which("openssl") is not None


def make(folder):
    """`NAME.pem` and `NAME.key` of each, and `ca.pem`, which a client trusts."""

    def openssl(*arguments):
        command = ["openssl", *arguments]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)

    def self_signed(name, subject, *how):
        output = ("-keyout", f"{name}.key", "-out", f"{name}.pem")
        openssl("req", "-x509", *how, "-days", "30", "-subj", f"/CN={subject}", *output)

    self_signed("ca", "authority of the cases", *CURVE)
    for name, how in OWN.items():
        self_signed(name, "localhost", *how)
    for number, (name, extensions) in enumerate(SIGNED.items(), 1):
        (folder / f"{name}.ext").write_text(extensions + "\n")
        request = ("-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", "/CN=localhost")
        openssl("req", *CURVE, *request)
        authority = ("-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", str(number))
        output = ("-out", f"{name}.pem", "-days", "30", "-extfile", f"{name}.ext")
        openssl("x509", "-req", "-in", f"{name}.csr", *authority, *output)
