//! What is measured on: commands, replies and messages, the same in every run.

use std::fmt::Write as _;

/// Bytes of the corpora that fit a cache.
pub(crate) const SMALL: usize = 64 << 10;
/// Bytes of those that are too long for a branch predictor to learn.
pub(crate) const LARGE: usize = 4 << 20;
/// Bytes of a message.
pub(crate) const MESSAGE: usize = 10 << 20;
/// Bytes of one that fits a cache, and that callgrind gets through.
pub(crate) const SHORT_MESSAGE: usize = 1 << 20;
/// Bytes of the pieces in which a message comes.
pub(crate) const CHUNK: usize = 16 << 10;

/// At least `size` bytes of lines that `line` writes, the same ones every time.
pub(crate) fn lines(size: usize, line: impl Fn(&mut Random, &mut String)) -> Vec<u8> {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut out = String::with_capacity(size + 1024);
    while out.len() < size {
        line(&mut random, &mut out);
    }
    out.into_bytes()
}

/// At least `size` bytes of `parts`, in an order of no pattern.
pub(crate) fn shuffled(size: usize, parts: &[&str]) -> Vec<u8> {
    lines(size, |random, out| out.push_str(random.pick(parts)))
}

/// A command of an ordinary session.
pub(crate) fn core(random: &mut Random, out: &mut String) {
    match random.below(10) {
        0 => write!(out, "EHLO {}", random.domain()),
        1 => write!(out, "MAIL FROM:<{}>", random.address()),
        2 => write!(out, "MAIL FROM:<{}> SIZE={}", random.address(), random.below(1_000_000)),
        3 => {
            let (address, size) = (random.address(), random.below(1_000_000));
            write!(out, "MAIL FROM:<{address}> SIZE={size} BODY=8BITMIME")
        }
        4..=6 => write!(out, "RCPT TO:<{}>", random.address()),
        7 => write!(out, "DATA"),
        8 => write!(out, "{}", random.pick(&["RSET", "NOOP", "QUIT", "STARTTLS"])),
        _ => write!(out, "BDAT {}{}", random.below(100_000), random.pick(&["", " LAST"])),
    }
    .and_then(|()| write!(out, "\r\n"))
    .unwrap_or_default();
}

/// MAIL or RCPT with one to four of the parameters that smtp-proto knows.
pub(crate) fn parameters(random: &mut Random, out: &mut String) {
    with_parameters(random, out, 14);
}

/// MAIL or RCPT with one to four parameters: every one that is registered, and unknown ones.
pub(crate) fn every_parameter(random: &mut Random, out: &mut String) {
    with_parameters(random, out, 18);
}

fn with_parameters(random: &mut Random, out: &mut String, of_mail: usize) {
    let is_mail = random.below(2) == 0;
    let verb = if is_mail { "MAIL FROM" } else { "RCPT TO" };
    write!(out, "{verb}:<{}>", random.address()).unwrap_or_default();
    let mut used = 0_u32;
    for _ in 0..=random.below(4) {
        let which = random.below(if is_mail { of_mail } else { 4 });
        if used >> which & 1 == 0 {
            used |= 1 << which;
            let result = if is_mail { mail(random, out, which) } else { rcpt(random, out, which) };
            result.unwrap_or_default();
        }
    }
    out.push_str("\r\n");
}

fn mail(random: &mut Random, out: &mut String, which: usize) -> std::fmt::Result {
    match which {
        0 => write!(out, " SIZE={}", random.below(100_000_000)),
        1 => write!(out, " BODY={}", random.pick(&["8BITMIME", "7BIT", "BINARYMIME"])),
        2 => write!(out, " SMTPUTF8"),
        3 => write!(out, " RET={}", random.pick(&["FULL", "HDRS"])),
        4 => write!(out, " ENVID={}", random.word(8, 20)),
        5 => write!(out, " AUTH={}", random.address()),
        6 => {
            let (seconds, mode) = (1 + random.below(10_000), random.pick(&["R", "N", "RT"]));
            write!(out, " BY={seconds};{mode}")
        }
        7 if random.below(2) == 0 => write!(out, " HOLDFOR={}", 1 + random.below(100_000)),
        7 => write!(out, " HOLDUNTIL={}", random.moment()),
        8 => write!(out, " MT-PRIORITY={}", random.below(10)),
        9 => write!(out, " REQUIRETLS"),
        10 => write!(out, " MTRK={}:{}", random.word(22, 27), random.below(100_000)),
        11 => write!(out, " TRANSID=<{}@{}>", random.word(4, 10), random.domain()),
        12 => write!(out, " CONPERM"),
        13 => write!(out, " SOLICIT=org.example:{}", random.word(3, 8)),
        14 => write!(out, " SUBMITTER={}", random.address()),
        15 => write!(out, " ALT-ADDRESS={}", random.address()),
        16 => write!(out, " PRDR"),
        _ => write!(out, " X-{}={}", random.word(3, 8), random.word(1, 12)),
    }
}

fn rcpt(random: &mut Random, out: &mut String, which: usize) -> std::fmt::Result {
    match which {
        0 => {
            let events = random.pick(&["SUCCESS,FAILURE,DELAY", "NEVER", "FAILURE"]);
            write!(out, " NOTIFY={events}")
        }
        1 => write!(out, " ORCPT=rfc822;{}", random.address()),
        2 => write!(out, " RRVS={};C", random.moment()),
        _ => write!(out, " CONNEG"),
    }
}

/// Requests of the length in bytes of each line of `commands`, where HTTP can be as short.
pub(crate) fn requests(commands: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in commands.split_inclusive(|&byte| byte == b'\n') {
        let path = line.len().saturating_sub(b"GET / HTTP/1.1\r\n\r\n".len()).min(20);
        let host = line.len().saturating_sub(b"GET / HTTP/1.1\r\nHost: \r\n\r\n".len() + path);
        out.extend_from_slice(b"GET /");
        out.resize(out.len() + path, b'p');
        out.extend_from_slice(b" HTTP/1.1\r\n");
        if host > 0 {
            out.extend_from_slice(b"Host: ");
            out.resize(out.len() + host, b'h');
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Commands that a server accepts in this order.
pub(crate) fn session(size: usize) -> Vec<u8> {
    let mut out = b"EHLO client.example\r\n".to_vec();
    out.extend(lines(size, |random, out| {
        write!(out, "MAIL FROM:<{}> SIZE={}\r\n", random.address(), random.below(1_000_000))
            .unwrap_or_default();
        for _ in 0..3 {
            write!(out, "RCPT TO:<{}> NOTIFY=NEVER\r\n", random.address()).unwrap_or_default();
        }
        out.push_str(random.pick(&["RSET\r\n", "NOOP\r\nRSET\r\n"]));
    }));
    out
}

/// Replies of one line.
pub(crate) const SINGLE: [&str; 11] = [
    "250 OK\r\n",
    "250 2.1.0 Ok\r\n",
    "250 2.1.5 Ok\r\n",
    "354 End data with <CR><LF>.<CR><LF>\r\n",
    "250 2.0.0 Ok: queued as 4F2B31C0A7\r\n",
    "221 2.0.0 Bye\r\n",
    "550 5.1.1 <nobody@example.com>: Recipient address rejected: User unknown\r\n",
    "220 mx.example.com ESMTP Postfix\r\n",
    "235 2.7.0 Authentication successful\r\n",
    "451 4.7.1 Greylisting in action, please come back later\r\n",
    "250 2.0.0 OK  1700000000 d2e1a72fcca58-6c115878c43si4712345b3a.123 - gsmtp\r\n",
];

/// Replies of two to five lines.
pub(crate) const MULTI: [&str; 5] = [
    "550-5.7.26 This mail has been blocked because the sender is unauthenticated.\r\n\
     550-5.7.26 It must authenticate with either SPF or DKIM.\r\n\
     550-5.7.26  For instructions on setting up authentication, go to\r\n\
     550 5.7.26  https://support.example/mail/81126#authentication d9443c01a7336 - gsmtp\r\n",
    "214-2.0.0 Commands:\r\n\
     214-2.0.0 \tHELO\tEHLO\tMAIL\tRCPT\tDATA\r\n\
     214-2.0.0 \tRSET\tNOOP\tQUIT\tHELP\tVRFY\r\n\
     214-2.0.0 For more info use HELP and a command.\r\n\
     214 2.0.0 End of HELP info\r\n",
    "551-5.7.1 Forwarding to remote hosts disabled\r\n\
     551 5.7.1 Select another host to act as your forwarder\r\n",
    "250-First line\r\n250-Second line\r\n250-234 Text beginning with numbers\r\n250 The last\r\n",
    "220-mx.example.com ESMTP\r\n\
     220-We do not authorize the use of this system to transport unsolicited,\r\n\
     220 and/or bulk e-mail.\r\n",
];

/// Replies to EHLO as large and small servers give them.
pub(crate) const EHLO: [&str; 4] = [
    "250-smtp.example.com at your service, [192.0.2.4]\r\n250-SIZE 35882577\r\n\
     250-8BITMIME\r\n250-STARTTLS\r\n250-ENHANCEDSTATUSCODES\r\n250-PIPELINING\r\n\
     250-CHUNKING\r\n250 SMTPUTF8\r\n",
    "250-mail.example.com\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-VRFY\r\n250-ETRN\r\n\
     250-STARTTLS\r\n250-AUTH PLAIN LOGIN CRAM-MD5\r\n250-ENHANCEDSTATUSCODES\r\n\
     250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n",
    "250-exch.example.net Hello [192.0.2.1]\r\n250-SIZE 37748736\r\n250-PIPELINING\r\n250-DSN\r\n\
     250-ENHANCEDSTATUSCODES\r\n250-STARTTLS\r\n250-X-ANONYMOUSTLS\r\n250-AUTH NTLM\r\n\
     250-X-EXPS GSSAPI NTLM\r\n250-8BITMIME\r\n250-BINARYMIME\r\n250-CHUNKING\r\n250 XRDST\r\n",
    "250-small.example greets client.example\r\n250-8BITMIME\r\n250-SIZE\r\n250-DSN\r\n\
     250 HELP\r\n",
];

/// A message of `size` bytes at least in lines of text, none of which begins with a dot.
pub(crate) fn text(size: usize) -> Vec<u8> {
    lines(size, Random::text)
}

/// The same, and every line begins with a dot.
pub(crate) fn dotted_text(size: usize) -> Vec<u8> {
    lines(size, |random, out| {
        out.push('.');
        random.text(out);
    })
}

/// A message in which every line is a dot.
pub(crate) fn dots(size: usize) -> Vec<u8> {
    b".\r\n".iter().copied().cycle().take(size / 3 * 3).collect()
}

/// What a server sees of a message: dots doubled, and the end.
pub(crate) fn on_the_wire(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 3 + 3);
    for line in message.split_inclusive(|&byte| byte == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    out.extend_from_slice(b".\r\n");
    out
}

/// Xorshift: the same sequence on every machine.
pub(crate) struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // Of the upper half, which is better mixed; `end` is small.
        (self.0 >> 32) as usize % end
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn word(&mut self, min: usize, max: usize) -> String {
        let length = min + self.below(max - min + 1);
        let letters = b"abcdefghijklmnopqrstuvwxyz0123456789";
        (0..length).map(|_| char::from(letters[self.below(letters.len())])).collect()
    }

    fn domain(&mut self) -> String {
        let mut domain = self.word(3, 12);
        if self.below(2) == 0 {
            domain = format!("{}.{domain}", self.word(2, 8));
        }
        format!("{domain}.{}", self.pick(&["com", "org", "example", "net"]))
    }

    fn address(&mut self) -> String {
        let mut local = self.word(2, 10);
        if self.below(2) == 0 {
            local = format!("{local}.{}", self.word(2, 8));
        }
        format!("{local}@{}", self.domain())
    }

    /// A moment in UTC, RFC 3339.
    fn moment(&mut self) -> String {
        let (year, month, day) = (2020 + self.below(10), 1 + self.below(9), 10 + self.below(10));
        format!("{year}-0{month}-{day}T12:3{}:00Z", self.below(10))
    }

    /// A line of 4 to 13 words.
    fn text(&mut self, out: &mut String) {
        for i in 0..4 + self.below(10) {
            if i > 0 {
                out.push(' ');
            }
            out.push_str(&self.word(1, 9));
            if self.below(12) == 0 {
                out.push('.');
            }
        }
        out.push_str("\r\n");
    }
}
