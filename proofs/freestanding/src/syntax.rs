//! L0: every kind of line is read, and written as it was.

use core::hint::black_box;

use ehlo::syntax::capability::Capabilities;
use ehlo::syntax::sasl::{Challenge, Response, SaslData};
use ehlo::{Command, Encode, Extension, Parsed, Policy, Reply};

pub fn run() -> Option<()> {
    for line in black_box(COMMANDS) {
        let Ok(Parsed::Complete { value, consumed }) = Command::parse(line, black_box(&POLICY))
        else {
            return None;
        };
        (consumed == line.len() && is_written(&value, line)).then_some(())?;
    }
    for line in black_box(WRONG) {
        Command::parse(line, black_box(&POLICY)).is_err().then_some(())?;
    }
    for bytes in black_box(REPLIES) {
        let reply = reply(bytes)?;
        is_written(&reply, bytes).then_some(())?;
        reply.lines().all(|line| !line.contains(&b'\n')).then_some(())?;
    }
    let offered = Capabilities::from_reply(&reply(black_box(EHLO))?);
    (offered.contains(Extension::RequireTls) && offered.size() == Some(1000)).then_some(())?;
    sasl()
}

fn reply(bytes: &[u8]) -> Option<Reply<'_>> {
    match Reply::parse(bytes, black_box(&POLICY)) {
        Ok(Parsed::Complete { value, .. }) => Some(value),
        _ => None,
    }
}

fn sasl() -> Option<()> {
    let challenge = Challenge::from_reply(&reply(black_box(b"334 VXNlcm5hbWU6\r\n"))?).ok()?;
    let mut bytes = [0; 16];
    let length = challenge.0.decode(&mut bytes).ok()?;
    (bytes.get(..length)? == b"Username:").then_some(())?;
    let response = Response::parse(black_box(b"YW5uYQ==")).ok()?;
    (response == Response::Data(SaslData::new(b"anna"))).then_some(())?;
    is_written(&Response::Data(SaslData::new(b"anna")), b"YW5uYQ==\r\n").then_some(())
}

fn is_written(value: &impl Encode, bytes: &[u8]) -> bool {
    let mut out = [0; 1024];
    let written = value.encode(&mut out).ok().and_then(|length| out.get(..length));
    written == Some(bytes)
}

const POLICY: Policy = Policy::STRICT.with_smtputf8(true);

const COMMANDS: &[&[u8]] = &[
    b"EHLO client.example\r\n",
    b"EHLO [IPv6:2001:db8::1]\r\n",
    b"HELO client.example\r\n",
    b"LHLO [192.0.2.1]\r\n",
    b"MAIL FROM:<>\r\n",
    b"MAIL FROM:<@relay.example:a@example.org> SIZE=1000 BODY=8BITMIME SMTPUTF8 REQUIRETLS\r\n",
    b"MAIL FROM:<a@example.org> RET=HDRS ENVID=a+2Bb AUTH=e+3Dmc2@example.com BY=120;R\r\n",
    b"MAIL FROM:<a@example.org> HOLDFOR=10 MT-PRIORITY=-3 SUBMITTER=b@example.org X=Y\r\n",
    b"RCPT TO:<Postmaster>\r\n",
    "RCPT TO:<\"a \\\" b\"@b\u{fc}cher.example>\r\n".as_bytes(),
    b"RCPT TO:<b@[127.0.0.1]> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b@example.org\r\n",
    b"RCPT TO:<b@example.org> RRVS=2014-04-03T23:01:00Z CONNEG\r\n",
    b"DATA\r\n",
    b"BDAT 18446744073709551615 LAST\r\n",
    b"RSET\r\n",
    b"VRFY postmaster\r\n",
    b"EXPN staff\r\n",
    b"HELP MAIL\r\n",
    b"NOOP\r\n",
    b"QUIT\r\n",
    b"STARTTLS\r\n",
    b"AUTH PLAIN AHRlc3QAMTIzNA==\r\n",
    b"ETRN @example.org\r\n",
    b"ATRN example.org,example.com\r\n",
    b"BURL imap://mail.example/a LAST\r\n",
    b"XCLIENT NAME=spike.example ADDR=192.0.2.1\r\n",
    b"XFORWARD NAME=spike.example\r\n",
    b"TURN\r\n",
    b"XYZZY nothing happens\r\n",
];

const WRONG: &[&[u8]] = &[
    b"\r\n",
    b"MAIL FROM:<a@example.org\r\n",
    b"RCPT TO:<b@-example.org>\r\n",
    b"MAIL FROM:<> SIZE=1 SIZE=1\r\n",
    b"NOOP\n",
    b"VRFY \0\r\n",
    b"AUTH PLAIN A\r\n",
    b"EHLO [IPv6:1::2::3]\r\n",
];

const REPLIES: &[&[u8]] =
    &[b"220 mx.example ESMTP\r\n", b"550-5.7.606 no\r\n550 5.7.606 never\r\n", EHLO];

const EHLO: &[u8] = b"250-mx.example\r\n250-PIPELINING\r\n250-SIZE 1000\r\n\
    250-AUTH PLAIN LOGIN\r\n250-LIMITS RCPTMAX=20 MAILMAX=5\r\n250-DELIVERBY 240\r\n\
    250-MT-PRIORITY MIXER\r\n250-FUTURERELEASE 3600 2030-01-01T00:00:00Z\r\n\
    250-NO-SOLICITING net.example:ADV\r\n250-XCLIENT NAME ADDR\r\n250-X_ODD\r\n250 REQUIRETLS\r\n";
