//! Output never decides about mail.

use std::fs::{File, OpenOptions};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process::{Client, Receive, Running, example, wait_until};

#[test]
fn who_does_not_read_stops_nothing() {
    for flags in [&["--json"][..], &[]] {
        let mut command = Command::new(example("receive"));
        command.args(["--listen", "127.0.0.1:0"]).args(flags);
        let mut child = Running(
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("receive"),
        );
        let mut stdout = std::io::BufReader::new(child.0.stdout.take().expect("a pipe"));
        let mut first = String::new();
        std::io::BufRead::read_line(&mut stdout, &mut first).expect("a line");
        let address = first.trim_end().strip_prefix("listening on ").expect("an address");
        let name = "x".repeat(60);
        for _ in 0..20 {
            let mut client = Client::to(address);
            client.hello();
            for _ in 0..100 {
                client.say(&format!(
                    "MAIL FROM:<a@{name}.example>\r\nRCPT TO:<{name}@d.example>\r\n"
                ));
                client.say("DATA\r\n.\r\n");
                for code in ["250", "250", "354", "250"] {
                    assert!(client.reply().starts_with(code));
                }
            }
        }
        assert!(Client::to(address).reply().starts_with("220"));
        let kill = Command::new("kill").arg(child.0.id().to_string()).status();
        assert!(kill.expect("there is kill").success());
        wait_until("it ends", || child.0.try_wait().expect("a child").is_some());
    }
}

#[test]
fn errors_that_cannot_be_written_end_nothing() {
    let full = OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let mut server = Receive::start_after("ulimit -n 24", &[], full.into());
    let held: Vec<_> = (0..40).map(|_| TcpStream::connect(&server.address)).collect();
    std::thread::sleep(Duration::from_millis(500));
    assert!(server.is_running(), "it has ended");
    drop(held);
    std::thread::sleep(Duration::from_millis(500));
    assert!(Client::open(&server).reply().starts_with("220"));
    server.interrupt("TERM");
    assert_eq!(server.wait(), Some(0));
}

#[test]
fn the_same_error_is_not_told_without_end() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("receive-errors");
    let stderr = File::create(&path).expect("a file");
    let server = Receive::start_after("ulimit -n 24", &[], stderr.into());
    let held: Vec<_> = (0..40).map(|_| TcpStream::connect(&server.address)).collect();
    std::thread::sleep(Duration::from_secs(2));
    drop(held);
    let lines = std::fs::read_to_string(&path).expect("a file").lines().count();
    assert!((1..=10).contains(&lines), "{lines} lines");
}

#[test]
fn output_that_is_closed_ends_nothing() {
    let server = Receive::start_after("exec 2>&-", &[], Stdio::inherit());
    let mut client = Client::open(&server);
    client.hello();
    assert_eq!(&client.message("Subject: x\r\n")[..3], "250");
}
