//! The table of mechanisms, and a mechanism that is chosen at run time.

use crate::anonymous::{AnonymousClient, AnonymousServer};
use crate::client::{ClientFailure, ClientMechanism};
#[cfg(feature = "cram-md5")]
use crate::cram_md5::{CramMd5Client, CramMd5Server};
#[cfg(feature = "scram")]
use crate::credentials::BINDING;
use crate::credentials::{Channel, Credentials, Kind};
use crate::external::{ExternalClient, ExternalServer};
use crate::login::{LoginClient, LoginServer};
use crate::oauthbearer::{OauthBearerClient, OauthBearerServer};
use crate::plain::{PlainClient, PlainServer};
#[cfg(feature = "scram")]
use crate::scram::{ScramClient, ScramServer};
use crate::secret::StoredSecret;
use crate::server::{ServerFailure, ServerMechanism, ServerTurn};
use crate::table::{delegate, has, mechanisms};
use crate::xoauth2::{Xoauth2Client, Xoauth2Server};
use ehlo::syntax::command::Mechanism;
use ehlo::syntax::sasl::{Mechanisms, SaslData, SaslMechanism};

// A row: the variant of `SaslMechanism`, its client, its server, the kind of proof, and
// `authorization` if a message has a place for the authorization identity. The first part has the
// mechanisms whose server is made without arguments; the SCRAM family shares one type.
mechanisms! {
    {
        Plain: PlainClient<'a>, PlainServer, Password authorization;
        Login: LoginClient<'a>, LoginServer, Password;
        External: ExternalClient<'a>, ExternalServer, External authorization;
        Anonymous: AnonymousClient<'a>, AnonymousServer, Anonymous;
        Xoauth2: Xoauth2Client<'a>, Xoauth2Server, Token;
        OauthBearer: OauthBearerClient<'a>, OauthBearerServer, Token authorization;
    }
    {
        #[cfg(feature = "cram-md5")]
        CramMd5: CramMd5Client<'a>, CramMd5Server, Password;
    }
    Scram: ScramClient, ScramServer, Password authorization
        for ScramSha1, ScramSha1Plus, ScramSha256, ScramSha256Plus;
}

/// The credentials that a mechanism carries.
pub(crate) struct Row {
    pub(crate) mechanism: SaslMechanism,
    pub(crate) kind: Kind,
    /// A message has a place for the authorization identity.
    pub(crate) authorization: bool,
}

impl<'a> AnyClient<'a> {
    /// A client of the strongest mechanism that the server offers and that can carry these
    /// credentials: see [`Channel::strongest`].
    pub fn strongest(
        offered: Mechanisms,
        credentials: &Credentials<'a>,
        channel: Channel<'_>,
    ) -> Option<Self> {
        let mechanism = channel.strongest(offered, credentials)?;
        #[cfg(feature = "scram")]
        if is_scram(mechanism) {
            // RFC 5802 §6: "y" only where the server has not offered -PLUS; with it "n", if another
            // mechanism is stronger.
            let binds = BINDING.contains(mechanism) || offered.intersection(BINDING).is_empty();
            let binding = channel.binding().filter(|_| binds);
            return ScramClient::new(mechanism, credentials, binding).map(Self::Scram);
        }
        Self::new(mechanism, credentials)
    }
}

impl Credentials<'_> {
    /// The mechanisms of this crate that can carry them, as it was built.
    ///
    /// ```
    /// use ehlo::syntax::sasl::SaslMechanism;
    /// use ehlo_sasl::Credentials;
    ///
    /// let token = Credentials::token("anna@example.org", "vF9dft4qmT")?;
    /// assert!(token.mechanisms().contains(SaslMechanism::OauthBearer));
    /// assert!(!token.mechanisms().contains(SaslMechanism::Plain));
    /// # Ok::<(), ehlo_sasl::CredentialsError>(())
    /// ```
    pub fn mechanisms(&self) -> Mechanisms {
        let carries = |row: &&Row| {
            Some(row.kind) == self.proof().kind() && (row.authorization || !self.acts_for_another())
        };
        let mechanisms = ROWS.iter().filter(carries).map(|row| row.mechanism);
        mechanisms.fold(Mechanisms::NONE, Mechanisms::with)
    }
}

#[cfg(feature = "scram")]
const fn is_scram(mechanism: SaslMechanism) -> bool {
    BINDING.contains(mechanism)
        || matches!(mechanism, SaslMechanism::ScramSha1 | SaslMechanism::ScramSha256)
}
