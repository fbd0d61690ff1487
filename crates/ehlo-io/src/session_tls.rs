//! A session that is kept, and begins TLS where its delivery says so.

use ehlo::Delivery;
use ehlo_sasl::Credentials;

use crate::connection::Connection;
use crate::deliver::driver::{Driver, Step};
use crate::deliver::messages::NextEnvelope;
use crate::deliver::session::{Between, NO_CONTENT, SendFailure, Session};
use crate::stream::StreamIo;
use crate::time::Timer;
use crate::tls::{MaybeTls, MaybeTlsIo, TlsHandshake, TlsStreamInfo};

impl<S, L, A, T: Timer> Session<MaybeTls<S, L>, MaybeTlsIo<A>, T>
where
    A: StreamIo<S> + StreamIo<L> + TlsStreamInfo<S, L>,
{
    /// Begins the session as [`open`](Self::open) does, and goes on inside TLS when the delivery says
    /// so, as [`Connection::deliver_tls`].
    ///
    /// # Errors
    ///
    /// [`SendFailure`]: why the session takes no envelope, as after a handshake that failed.
    pub async fn open_tls<'v, W>(
        mut connection: Connection<MaybeTls<S, L>, Delivery<'v>, MaybeTlsIo<A>, T>,
        credentials: Option<Credentials<'v>>,
        with: &W,
    ) -> Result<Self, SendFailure>
    where
        A: TlsHandshake<S, W, Tls = L>,
    {
        let mut driver = Driver::new(Between { next: NextEnvelope::Idle, credentials }, NO_CONTENT);
        let ended = connection.drive_tls(&mut driver, with).await;
        let last_words = core::mem::take(&mut driver.last_words);
        drop(driver);
        Self::kept(connection, ended.map(Step::Closed), last_words)
    }
}
