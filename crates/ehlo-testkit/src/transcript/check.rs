//! A run of a transcript through the machines.

use super::format::Transcript;
use super::{client, pair, server};

impl Transcript {
    /// Runs the session through the server machine, the client machine and both against each
    /// other, with the bytes cut in every way.
    ///
    /// # Errors
    ///
    /// The machine, the cut of the bytes, and the difference.
    pub fn check(&self) -> Result<(), String> {
        server::check(self).map_err(|why| format!("server, {why}"))?;
        if !self.only_server {
            client::check(self).map_err(|why| format!("client, {why}"))?;
            pair::check(self).map_err(|why| format!("pair, {why}"))?;
        }
        Ok(())
    }
}
