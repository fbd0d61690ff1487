//! A maildir: a message is written to `tmp`, and appears in `new` whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::task::spawn_blocking;

/// Where messages are stored.
pub(crate) struct Maildir {
    folder: Arc<Folder>,
    host: String,
}

struct Folder {
    dir: PathBuf,
    /// The directory of what is stored, open.
    new: File,
}

impl Maildir {
    /// The maildir at `dir`, which is created where it is missing.
    pub(crate) fn open(dir: &Path, host: &str) -> io::Result<Self> {
        for part in ["tmp", "new", "cur"] {
            fs::create_dir_all(dir.join(part))?;
        }
        // Neither character may stand in the name of a file there.
        let host = host.replace('/', "\\057").replace(':', "\\072");
        let folder = Folder { dir: dir.into(), new: File::open(dir.join("new"))? };
        Ok(Self { folder: Arc::new(folder), host })
    }

    /// A new message, which begins with `header`.
    pub(crate) fn begin(&self, stamp: &Stamp, header: Vec<u8>) -> Draft {
        let name = format!("{}.{}.{}", stamp.since_epoch.as_secs(), stamp.id, self.host);
        let spool = Spool { folder: Arc::clone(&self.folder), name, file: None };
        Draft { spool, buffer: header, failure: None }
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
        static PROCESS: LazyLock<u32> = LazyLock::new(std::process::id);
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (micros, process) = (since_epoch.as_micros(), *PROCESS);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self { since_epoch, id: format!("{micros:x}-{process:x}-{count:x}") }
    }
}

/// A message on its way into the maildir. Dropped before [`store`](Self::store), it leaves nothing.
///
/// What is small is gathered, and costs one trip to the disk. What is not is written as it comes,
/// where it was read, so that no session keeps much in memory: the system takes it into its cache.
pub(crate) struct Draft {
    spool: Spool,
    /// What is not written.
    buffer: Vec<u8>,
    failure: Option<io::Error>,
}

impl Draft {
    /// Adds octets of the message. A failure is reported by [`store`](Self::store), for an answer to
    /// the mail data is due at its end only.
    pub(crate) fn push(&mut self, octets: &[u8]) {
        if self.failure.is_some() {
            return;
        }
        if self.spool.file.is_none() && self.buffer.len() + octets.len() <= BATCH {
            self.buffer.extend_from_slice(octets);
            return;
        }
        let buffer = std::mem::take(&mut self.buffer);
        self.failure = self.spool.write(&buffer).and_then(|()| self.spool.write(octets)).err();
    }

    /// Stores the message for good; returns the name of its file. The wait for the disk is on a
    /// thread of its own, so that no other session waits too.
    pub(crate) async fn store(self) -> io::Result<String> {
        let Self { mut spool, buffer, failure } = self;
        if let Some(failure) = failure {
            return Err(failure);
        }
        spawn_blocking(move || {
            spool.write(&buffer)?;
            spool.publish()
        })
        .await?
    }
}

/// A file in `tmp`, removed when it is dropped.
struct Spool {
    folder: Arc<Folder>,
    name: String,
    /// Open from the first write on.
    file: Option<File>,
}

impl Spool {
    fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => File::create_new(self.path("tmp"))?,
        };
        self.file.insert(file).write_all(octets)
    }

    /// Both the octets and the name are on the disk when it returns.
    fn publish(mut self) -> io::Result<String> {
        if let Some(file) = &self.file {
            file.sync_all()?;
        }
        fs::rename(self.path("tmp"), self.path("new"))?;
        self.file = None;
        self.folder.new.sync_all()?;
        Ok(std::mem::take(&mut self.name))
    }

    fn path(&self, part: &str) -> PathBuf {
        let dir = &self.folder.dir;
        // One allocation, not four that grow: each thread here has a heap, and would leave holes in it.
        let mut path = PathBuf::with_capacity(dir.as_os_str().len() + self.name.len() + 8);
        path.extend([dir.as_path(), part.as_ref(), self.name.as_ref()]);
        path
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let _ = fs::remove_file(self.path("tmp"));
        }
    }
}

/// Octets of a message that are gathered before it has a file.
const BATCH: usize = 16 * 1024;
