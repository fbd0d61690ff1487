//! Starts and stops the examples, and looks at what they leave.

#![allow(dead_code)] // each test program uses a part of this

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ehlo::trace::separator;

/// A running `receive` with a maildir of its own.
pub(crate) struct Receive {
    child: Child,
    stdout: BufReader<ChildStdout>,
    pub(crate) address: String,
    pub(crate) dir: PathBuf,
}

impl Receive {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::run(Command::new(example("receive")), arguments)
    }

    /// The same in a shell that does this first, as `ulimit -n 24`.
    pub(crate) fn start_after(setting: &str, arguments: &[&str], stderr: Stdio) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{setting}; exec \"$0\" \"$@\"")]).arg(example("receive"));
        shell.stderr(stderr);
        Self::run(shell, arguments)
    }

    fn run(mut command: Command, arguments: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ehlo-examples-{}-{count}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        let mut child = command
            .args(["--hostname", "mx.example", "--maildir"])
            .arg(&dir)
            .args(if arguments.contains(&"--listen") { &[][..] } else { &["--listen", ANY] })
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("receive starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("it says where it listens");
        let address = line.trim().strip_prefix("listening on ").expect("in these words").to_owned();
        Self { child, stdout, address, dir }
    }

    pub(crate) fn send(&self, arguments: &[&str], file: &OsStr, stdin: &[u8]) -> Output {
        self.send_to(&[&["--to", "b@example.org"], arguments].concat(), file, stdin)
    }

    pub(crate) fn send_to(&self, arguments: &[&str], file: &OsStr, stdin: &[u8]) -> Output {
        send(&self.address, arguments, file, stdin)
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("it prints text");
        line
    }

    pub(crate) fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.dir.join(name);
        fs::write(&path, content).expect("the directory is there");
        path
    }

    pub(crate) fn messages(&self) -> Vec<Message> {
        list(&self.dir.join("new")).iter().map(|path| Message::read(path)).collect()
    }

    /// The last message as it is stored.
    pub(crate) fn last(&self) -> String {
        let last = list(&self.dir.join("new")).into_iter().max().expect("there is a message");
        fs::read_to_string(last).expect("it is text")
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it is a child").is_none()
    }

    pub(crate) fn clear(&self) {
        for path in list(&self.dir.join("new")) {
            fs::remove_file(path).expect("it was listed");
        }
    }

    pub(crate) fn entries(&self, part: &str) -> usize {
        list(&self.dir.join(part)).len()
    }

    /// There is no safe call for this in std.
    pub(crate) fn interrupt(&self, signal: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(status.expect("there is kill").success());
    }

    pub(crate) fn wait(&mut self) -> Option<i32> {
        let mut status = None;
        wait_until("receive ends", || {
            status = self.child.try_wait().expect("it is a child");
            status.is_some()
        });
        status.and_then(|status| status.code())
    }
}

impl Drop for Receive {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// A process that ends with the test.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What `receive` says that does not start with these arguments.
pub(crate) fn refuses(arguments: &[&str]) -> String {
    let mut child = Command::new(example("receive"))
        .args(["--hostname", "mx.example", "--listen", ANY])
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("receive starts");
    let start = Instant::now();
    while child.try_wait().expect("it is a child").is_none() {
        if start.elapsed() > LONG {
            let _ = child.kill();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().expect("it is a child");
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A stored message.
pub(crate) struct Message {
    /// What the server put in front, up to the end of `Received:`.
    pub(crate) header: String,
    pub(crate) content: Vec<u8>,
    /// The same with an empty line in front, which may be the server's or the client's.
    pub(crate) behind_header: Vec<u8>,
}

impl Message {
    fn read(path: &Path) -> Self {
        let bytes = fs::read(path).expect("it was listed");
        let mut end = 0;
        let mut received = false;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if received && !line.starts_with(b"\t") {
                break;
            }
            received |= line.starts_with(b"Received:");
            end += line.len();
        }
        let (header, behind_header) = bytes.split_at(end);
        // An empty line in front of content that is no field is the server's.
        let content = match behind_header.strip_prefix(b"\r\n") {
            Some(rest) if separator(rest, true) == Some(b"\r\n") => rest,
            _ => behind_header,
        };
        let header = String::from_utf8(header.to_vec()).expect("the header is text");
        let behind_header = behind_header.to_vec();
        Self { header, content: content.to_vec(), behind_header }
    }
}

/// A client that says what the test wants.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    pub(crate) fn open(receive: &Receive) -> Self {
        Self::to(&receive.address)
    }

    pub(crate) fn to(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(LONG)).expect("not zero");
        Self(BufReader::new(stream))
    }

    /// Greeting and EHLO; the reply to EHLO.
    pub(crate) fn hello(&mut self) -> String {
        assert!(self.reply().starts_with("220"));
        self.ask("EHLO client.example")
    }

    /// Says a command; the reply.
    pub(crate) fn ask(&mut self, command: &str) -> String {
        self.say(&format!("{command}\r\n"));
        self.whole_reply()
    }

    /// A message by DATA; the reply to its end.
    pub(crate) fn message(&mut self, content: &str) -> String {
        for (command, code) in
            [("MAIL FROM:<a@b.example>", "250"), ("RCPT TO:<c@d.example>", "250"), ("DATA", "354")]
        {
            let reply = self.ask(command);
            assert!(reply.starts_with(code), "{command}: {reply}");
        }
        self.say(content);
        self.ask(".")
    }

    /// Says one byte; the server may have closed.
    pub(crate) fn drip(&mut self) {
        let _ = self.0.get_mut().write_all(b"x");
    }

    /// Whether something was said that is not read.
    pub(crate) fn has_reply(&mut self) -> bool {
        self.0.get_ref().set_nonblocking(true).expect("it is connected");
        let has_reply = self.0.fill_buf().is_ok_and(|said| !said.is_empty());
        self.0.get_ref().set_nonblocking(false).expect("it is connected");
        has_reply
    }

    /// Says no more.
    pub(crate) fn end(&self) {
        self.0.get_ref().shutdown(std::net::Shutdown::Write).expect("it is connected");
    }

    pub(crate) fn connect(receive: &Receive, hello: &str) -> Self {
        let mut client = Self::open(receive);
        assert!(client.reply().starts_with("220 mx.example ESMTP"));
        if !hello.is_empty() {
            client.say(hello);
            assert!(client.reply().starts_with("250"));
        }
        client
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.say_bytes(text.as_bytes());
    }

    pub(crate) fn say_bytes(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).expect("the server listens");
    }

    /// The last line of the next reply; empty at the end.
    pub(crate) fn reply(&mut self) -> String {
        self.whole_reply().split_inclusive('\n').next_back().unwrap_or_default().to_owned()
    }

    /// Waits for the end, with a last word unread or without.
    pub(crate) fn is_cut_off(&mut self) -> bool {
        match self.0.fill_buf() {
            Ok(rest) => rest.is_empty(),
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }

    /// Every line of the next reply; empty at the end.
    pub(crate) fn whole_reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let start = reply.len();
            self.0.read_line(&mut reply).expect("a reply comes");
            if reply.as_bytes().get(start + 3) != Some(&b'-') {
                return reply;
            }
        }
    }
}

pub(crate) fn send(server: &str, arguments: &[&str], file: &OsStr, stdin: &[u8]) -> Output {
    let mut child = Command::new(example("send"))
        .args(["--server", server, "--helo", "client.example", "--from", "a@example.org", "--file"])
        .arg(file)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("send starts");
    // It need not read all of it, or any.
    let _ = child.stdin.take().expect("it is piped").write_all(stdin);
    wait_until("send ends", || child.try_wait().expect("it is a child").is_some());
    child.wait_with_output().expect("it is a child")
}

pub(crate) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn list(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("receive made it");
    entries.map(|entry| entry.expect("it can be read").path()).collect()
}

pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LONG, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// `cargo test` builds the examples beside the directory that the tests are in.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let target = test.ancestors().nth(2).expect("it is in target/PROFILE/deps");
    let path = target.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(path.exists(), "{} is missing: cargo build --examples", path.display());
    path
}

/// A free port.
const ANY: &str = "127.0.0.1:0";

/// Longer than anything here takes.
pub(crate) const LONG: Duration = Duration::from_secs(20);
