//! Lines on standard output and standard error for which no program has to wait.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::printable;

/// Writes lines on a separate thread. Printing never waits and never fails: where a reader does not keep
/// up, or the disk behind it is full, lines are dropped and counted, and the number is written
/// when there is room again. Lines that come within a moment go in one write.
///
/// ```
/// use std::time::Duration;
/// use ehlo_apps::output::Output;
///
/// let moment = Duration::from_millis(50);
/// let output = Output::new(std::io::sink(), moment, |lost| format!("{lost} lines lost"))?;
/// output.print("listening on 127.0.0.1:2525");
/// assert!(output.flush(Duration::from_secs(5)));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Output {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    pending: Mutex<Pending>,
    /// There are lines to write.
    filled: Condvar,
    /// There are none.
    emptied: Condvar,
}

#[derive(Debug, Default)]
struct Pending {
    /// Whole lines.
    text: String,
    /// Lines that were dropped since the last that was written.
    lost: u64,
    /// The writer waits until there is a line.
    is_idle: bool,
    /// The writer does not wait for more lines.
    is_urgent: bool,
    is_writing: bool,
}

impl Output {
    /// Writes to `sink`. A line waits for others for `moment` at most; zero writes each at once. `notice`
    /// is the line that stands for a number of lines that were dropped.
    ///
    /// # Errors
    ///
    /// That of the operating system when there cannot be another thread.
    pub fn new(
        sink: impl Write + Send + 'static,
        moment: Duration,
        notice: impl Fn(u64) -> String + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let writer = Arc::clone(&shared);
        thread::Builder::new()
            .name("output".to_owned())
            .spawn(move || writer.run(sink, moment, notice))?;
        Ok(Self { shared })
    }

    /// Prints a line, or drops it.
    pub fn print(&self, line: &str) {
        let mut pending = self.shared.lock();
        if pending.text.len() + line.len() > ROOM {
            pending.lost += 1;
        } else {
            pending.text.extend([line, "\n"]);
        }
        // Waking the writer costs more than the line.
        let wakes = pending.is_idle || pending.is_due();
        drop(pending);
        if wakes {
            self.shared.filled.notify_one();
        }
    }

    /// Waits until all lines are written, but no longer than `patience`; whether they are.
    pub fn flush(&self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        let mut pending = self.shared.lock();
        pending.is_urgent = true;
        self.shared.filled.notify_one();
        while !pending.is_empty() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.shared.emptied.wait_timeout(pending, left);
            pending = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, mut sink: impl Write, moment: Duration, notice: impl Fn(u64) -> String) {
        let mut pending = self.lock();
        let mut has_failed = false;
        loop {
            // What was lost by a failure is told with the next line that is printed.
            if pending.text.is_empty() && (pending.lost == 0 || has_failed) {
                pending.is_urgent = false;
                pending.is_idle = true;
                self.emptied.notify_all();
                pending = self.filled.wait(pending).unwrap_or_else(PoisonError::into_inner);
                pending.is_idle = false;
                continue;
            }
            if !moment.is_zero() {
                let waits = |pending: &mut Pending| !pending.is_due();
                let waited = self.filled.wait_timeout_while(pending, moment, waits);
                pending = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            let (mut text, lost) = (std::mem::take(&mut pending.text), pending.lost);
            pending.lost = 0;
            pending.is_writing = true;
            drop(pending);
            let lines = text.bytes().filter(|byte| *byte == b'\n').count() as u64;
            if lost > 0 {
                text.extend([notice(lost).as_str(), "\n"]);
            }
            has_failed = write(&mut sink, text.as_bytes()).is_err();
            pending = self.lock();
            pending.is_writing = false;
            if has_failed {
                pending.lost += lost + lines;
            }
        }
    }
}

impl Pending {
    const fn is_empty(&self) -> bool {
        self.text.is_empty() && !self.is_writing
    }

    const fn is_due(&self) -> bool {
        self.is_urgent || self.text.len() >= MUCH
    }
}

/// Writes all of `text`, to a descriptor that does not block too.
fn write(sink: &mut impl Write, mut text: &[u8]) -> io::Result<()> {
    while !text.is_empty() {
        match sink.write(text) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => text = text.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(MOMENT),
            Err(error) => return Err(error),
        }
    }
    sink.flush()
}

/// One line on standard error, of a program that ends. It is lost where it cannot be written.
pub fn complain(program: &str, text: &str) {
    let _ = writeln!(io::stderr().lock(), "{program}: {}", printable(text));
}

/// Bytes that may wait to be written.
const ROOM: usize = 1 << 20;
/// Bytes that are written without waiting for more.
const MUCH: usize = 64 * 1024;
/// How long to wait for a descriptor that does not block.
const MOMENT: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// Takes a write when it is told to, and fails when it is told so.
    struct Valve {
        open: mpsc::Receiver<io::Result<()>>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Valve {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.open.recv().unwrap_or(Ok(()))?;
            self.written.lock().expect("not poisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn valve() -> (Output, mpsc::Sender<io::Result<()>>, impl Fn() -> String) {
        let (open, receiver) = mpsc::channel();
        let written = Arc::<Mutex<Vec<u8>>>::default();
        let text = Arc::clone(&written);
        let output = Output::new(Valve { open: receiver, written }, Duration::ZERO, |lost| {
            format!("lost {lost}")
        });
        let text = move || String::from_utf8_lossy(&text.lock().expect("not poisoned")).into();
        (output.expect("a thread"), open, text)
    }

    #[test]
    fn who_prints_does_not_wait_and_what_was_lost_is_told() {
        let (output, open, text) = valve();
        let line = "x".repeat(1023);
        for _ in 0..5000 {
            output.print(&line);
        }
        assert!(!output.flush(Duration::from_millis(20)), "nothing was read");
        drop(open);
        assert!(output.flush(Duration::from_secs(10)));
        let text = text();
        let written = text.lines().filter(|written| *written == line).count() as u64;
        let lost: u64 =
            text.lines().filter_map(|line| line.strip_prefix("lost ")?.parse::<u64>().ok()).sum();
        assert!(lost > 0);
        assert_eq!(written + lost, 5000);
    }

    /// Tells each write.
    struct Writes(mpsc::Sender<Vec<u8>>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_of_a_moment_go_in_one_write() {
        let (sender, written) = mpsc::channel();
        let moment = Duration::from_mins(1);
        let output = Output::new(Writes(sender), moment, |_| String::new()).expect("a thread");
        for line in ["a", "b", "c"] {
            output.print(line);
        }
        assert!(output.flush(Duration::from_secs(10)));
        assert_eq!(written.try_iter().collect::<Vec<_>>(), [b"a\nb\nc\n"]);
        // As much as is worth a write does not wait.
        output.print(&"x".repeat(MUCH));
        let write = written.recv_timeout(Duration::from_secs(10)).expect("a write");
        assert_eq!(write.len(), MUCH + 1);
    }

    #[test]
    fn what_cannot_be_written_is_counted_and_told_later() {
        let (output, open, text) = valve();
        for line in ["a", "b"] {
            output.print(line);
            open.send(Err(io::ErrorKind::StorageFull.into())).expect("a writer");
            assert!(output.flush(Duration::from_secs(10)));
        }
        drop(open);
        output.print("c");
        assert!(output.flush(Duration::from_secs(10)));
        assert_eq!(text(), "c\nlost 2\n");
    }
}
