//! A maildir: a message is written to `tmp`, and appears in `new` whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ehlo::trace::separator;
use tokio::task::spawn_blocking;

/// Where messages are stored.
pub(crate) struct Maildir {
    folder: Arc<Folder>,
    host: String,
}

struct Folder {
    dir: PathBuf,
    /// The directory `new`, open.
    new: File,
}

impl Maildir {
    /// The maildir at `dir`, which is created where it is missing. Mail is private: only its owner can
    /// read what is created here.
    pub(crate) fn open(dir: &Path, host: &str) -> io::Result<Self> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        for part in ["tmp", "new", "cur"] {
            builder.create(dir.join(part))?;
        }
        // Neither character may stand in a file name there.
        let host = host.replace('/', "\\057").replace(':', "\\072");
        let folder = Folder { dir: dir.into(), new: File::open(dir.join("new"))? };
        Ok(Self { folder: Arc::new(folder), host })
    }

    /// A new message, which begins with `header`: the fields that this server adds.
    pub(crate) fn begin(&self, stamp: &Stamp, header: Vec<u8>) -> Draft {
        let name = format!("{}.{}.{}", stamp.since_epoch.as_secs(), stamp.id, self.host);
        let spool = Spool { folder: Arc::clone(&self.folder), name, file: None };
        Draft { spool: Some(spool), seam: Some(header.len()), buffer: header, failure: None }
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
/// Content is gathered, whatever the size of the pieces in which it comes, and written by threads that
/// may wait for the disk: a small message costs one trip to the disk, a large one a trip for each
/// [`BATCH`].
pub(crate) struct Draft {
    /// `None` where a write was given up.
    spool: Option<Spool>,
    /// What is not written.
    buffer: Vec<u8>,
    /// Where the content begins in the buffer, until it is known what has to stand in front of it.
    seam: Option<usize>,
    failure: Option<io::Error>,
}

impl Draft {
    /// Adds bytes of the message. Whether it is time to [`spill`](Self::spill).
    pub(crate) fn push(&mut self, bytes: &[u8]) -> bool {
        if self.failure.is_none() {
            self.buffer.extend_from_slice(bytes);
            self.separate(false);
        }
        // The fields alone may be as long.
        self.seam.is_none() && self.buffer.len() >= BATCH
    }

    /// Writes what is gathered to the file. A failure is reported by [`store`](Self::store), since the
    /// answer to mail data is due at its end only.
    pub(crate) async fn spill(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        let Some(mut spool) = self.spool.take() else { return };
        let written = spawn_blocking(move || spool.write(&buffer).map(|()| spool));
        match written.await.unwrap_or_else(|error| Err(error.into())) {
            Ok(spool) => self.spool = Some(spool),
            Err(error) => self.failure = Some(error),
        }
    }

    /// Stores the message for good; returns the name of its file.
    pub(crate) async fn store(mut self) -> io::Result<String> {
        self.separate(true);
        let Self { spool, buffer, failure, .. } = self;
        if let Some(error) = failure {
            return Err(error);
        }
        let mut spool = spool.ok_or(io::ErrorKind::Interrupted)?;
        spawn_blocking(move || {
            spool.write(&buffer)?;
            spool.publish()
        })
        .await?
    }

    /// Separates the fields of this server from content that would go on in them.
    fn separate(&mut self, is_all: bool) {
        let Some(seam) = self.seam else { return };
        let content = self.buffer.get(seam..).unwrap_or_default();
        if let Some(separator) = separator(content, is_all) {
            self.buffer.splice(seam..seam, separator.iter().copied());
            self.seam = None;
        }
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
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => create(&self.path("tmp"))?,
        };
        self.file.insert(file).write_all(bytes)
    }

    /// Both the bytes and the name are on the disk when it returns.
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

/// A file for its owner alone.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Bytes of a message that are gathered in memory.
const BATCH: usize = 32 * 1024;
