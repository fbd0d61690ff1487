//! A maildir: a message is written to `tmp`, and appears in `new` whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::task::spawn_blocking;

/// Where messages are stored.
pub(crate) struct Maildir {
    dir: Arc<Path>,
    host: String,
}

impl Maildir {
    /// The maildir at `dir`, which is created where it is missing.
    pub(crate) fn open(dir: &Path, host: &str) -> io::Result<Self> {
        for part in ["tmp", "new", "cur"] {
            fs::create_dir_all(dir.join(part))?;
        }
        // Neither character may stand in the name of a file there.
        let host = host.replace('/', "\\057").replace(':', "\\072");
        Ok(Self { dir: dir.into(), host })
    }

    /// A new message, which begins with `header`.
    pub(crate) fn begin(&self, stamp: &Stamp, header: Vec<u8>) -> Draft {
        let name = format!("{}.{}.{}", stamp.since_epoch.as_secs(), stamp.id, self.host);
        let spool = Spool { dir: Arc::clone(&self.dir), name, file: None };
        Draft { spool: Some(spool), buffer: header, failure: None }
    }
}

/// When a message came, and its name, which no other message on this machine has.
pub(crate) struct Stamp {
    pub(crate) since_epoch: Duration,
    /// An atom, RFC 5321 §4.4: no dots.
    pub(crate) id: String,
}

impl Stamp {
    pub(crate) fn now() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (micros, process) = (since_epoch.as_micros(), std::process::id());
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self { since_epoch, id: format!("{micros:x}-{process:x}-{count:x}") }
    }
}

/// A message on its way into the maildir. Dropped before [`store`](Self::store), it leaves nothing.
///
/// The octets gather in memory up to [`BATCH`]; the disk is asked on a thread of its own, so that
/// no other session waits for it. A message that is smaller costs one such trip.
pub(crate) struct Draft {
    spool: Option<Spool>,
    buffer: Vec<u8>,
    failure: Option<io::Error>,
}

impl Draft {
    /// Adds octets of the message.
    pub(crate) fn push(&mut self, octets: &[u8]) {
        if self.failure.is_none() {
            self.buffer.extend_from_slice(octets);
        }
    }

    /// Whether as much has gathered as is worth the trip to the disk.
    pub(crate) fn is_full(&self) -> bool {
        self.buffer.len() >= BATCH
    }

    /// Writes what has gathered. A failure is reported by [`store`](Self::store), for an answer to
    /// the mail data is due at its end only.
    pub(crate) async fn relieve(&mut self) {
        let Some(mut spool) = self.spool.take() else { return };
        let mut buffer = std::mem::take(&mut self.buffer);
        let written = on_disk(move || {
            spool.write(&buffer)?;
            buffer.clear();
            Ok((spool, buffer))
        });
        match written.await {
            Ok((spool, buffer)) => (self.spool, self.buffer) = (Some(spool), buffer),
            Err(error) => self.failure = Some(error),
        }
    }

    /// Stores the message for good; returns the name of its file.
    pub(crate) async fn store(self) -> io::Result<String> {
        let Self { spool, buffer, failure } = self;
        let Some(mut spool) = spool else {
            return Err(failure.unwrap_or_else(|| io::ErrorKind::Other.into()));
        };
        on_disk(move || {
            spool.write(&buffer)?;
            spool.publish()
        })
        .await
    }
}

/// A file in `tmp`, removed when it is dropped.
struct Spool {
    dir: Arc<Path>,
    name: String,
    /// Open from the first write on.
    file: Option<File>,
}

impl Spool {
    fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        let path = self.path("tmp");
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::create_new(path)?),
        };
        file.write_all(octets)
    }

    /// Both the octets and the name are on the disk when it returns.
    fn publish(mut self) -> io::Result<String> {
        if let Some(file) = &self.file {
            file.sync_all()?;
        }
        fs::rename(self.path("tmp"), self.path("new"))?;
        self.file = None;
        File::open(self.dir.join("new"))?.sync_all()?;
        Ok(std::mem::take(&mut self.name))
    }

    fn path(&self, part: &str) -> PathBuf {
        self.dir.join(part).join(&self.name)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let _ = fs::remove_file(self.path("tmp"));
        }
    }
}

async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await?
}

/// Octets that are written at once.
const BATCH: usize = 64 * 1024;
