//! What the operating system asks of the server.

use std::io;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits for Ctrl-C or SIGTERM. From the call on they no longer end the process by themselves. Nor does
/// SIGXFSZ: a file that may not grow is a message that cannot be stored.
#[cfg(unix)]
pub(crate) fn interrupt() -> io::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    // What comes is of no interest; that there is a handler is.
    drop(signal(SignalKind::from_raw(SIGXFSZ))?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
pub(crate) fn interrupt() -> io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}

/// Hears SIGHUP, which from the call on no longer ends the process.
pub(crate) fn reload() -> io::Result<Reload> {
    Ok(Reload {
        #[cfg(unix)]
        hangup: signal(SignalKind::hangup())?,
    })
}

/// The requests to read configuration again.
pub(crate) struct Reload {
    #[cfg(unix)]
    hangup: Signal,
}

impl Reload {
    /// Calls `reload` for each request; never ready.
    pub(crate) async fn each(self, reload: impl Fn()) {
        #[cfg(unix)]
        {
            let Self { mut hangup } = self;
            while hangup.recv().await.is_some() {
                reload();
            }
        }
        #[cfg(not(unix))]
        drop(reload);
        std::future::pending::<()>().await;
    }
}

/// The signal that a file has grown beyond the limit of the process, by its number on Linux and macOS.
#[cfg(unix)]
const SIGXFSZ: i32 = 25;
