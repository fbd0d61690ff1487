//! LMTP over a Unix socket.

use std::env::temp_dir;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use crate::process::{Running, example};

#[test]
fn lmtp_is_taken_over_a_unix_socket() {
    let name = format!("ehlo-unix-{}", std::process::id());
    let (socket, maildir) = (temp_dir().join(format!("{name}.sock")), temp_dir().join(name));
    // One that is left over is replaced.
    drop(std::os::unix::net::UnixListener::bind(&socket));
    let mut command = Command::new(example("receive"));
    command.arg("--listen").arg(format!("unix:{}", socket.display()));
    command.args(["--hostname", "mx.example", "--maildir"]).arg(&maildir);
    let mut child = Running(command.stdout(Stdio::piped()).spawn().expect("receive"));
    let mut first = String::new();
    let mut stdout = BufReader::new(child.0.stdout.take().expect("a pipe"));
    stdout.read_line(&mut first).expect("a line");
    assert_eq!(first.trim_end(), format!("listening on unix:{}", socket.display()));
    let mut stream = UnixStream::connect(&socket).expect("a connection");
    stream
        .write_all(
            b"LHLO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n\
              RCPT TO:<e@d.example>\r\nDATA\r\nSubject: x\r\n.\r\nQUIT\r\n",
        )
        .expect("a socket");
    let replies: Vec<_> =
        BufReader::new(stream).lines().map(|line| line.expect("a line")).collect();
    assert!(replies[0].starts_with("220 mx.example LMTP"), "{replies:?}");
    let accepted = replies.iter().filter(|line| line.starts_with("250 2.6.0")).count();
    assert_eq!(accepted, 2, "{replies:?}");
    let mut files = std::fs::read_dir(maildir.join("new")).expect("a folder");
    let stored = std::fs::read_to_string(files.next().expect("a file").expect("a file").path());
    let stored = stored.expect("text");
    assert!(
        stored.contains("by mx.example with LMTP") && !stored.contains("127.0.0.1"),
        "{stored}"
    );
    drop(child);
    let _ = std::fs::remove_dir_all(&maildir);
    let _ = std::fs::remove_file(&socket);
}

#[test]
fn what_a_unix_socket_cannot_do_is_refused() {
    for flags in [["--submission", "--json"], ["--proxy", "any"]] {
        let mut command = Command::new(example("receive"));
        let output = command.args(["--listen", "unix:/nowhere/x"]).args(flags).output();
        let output = output.expect("receive");
        assert_eq!(output.status.code(), Some(2));
        assert!(!output.stderr.is_empty());
    }
}
