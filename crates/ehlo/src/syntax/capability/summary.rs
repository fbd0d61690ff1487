//! Everything that an EHLO reply offers, in a fixed size.

use core::fmt;
use core::iter::FusedIterator;

use super::limits::Numbers;
use super::offers::REGISTERED;
use super::{
    AuthMechanisms, Capability, DeliverBy, EhloParams, FutureRelease, Limits, Offers,
    PriorityProfile, SolicitationKeywords,
};
use crate::syntax::code::Code;
use crate::syntax::extension::Extension;
use crate::syntax::reply::Reply;
use crate::syntax::reply::wire_line;
use crate::syntax::sasl::Mechanisms;

/// Everything that an EHLO reply offers, as a client learns it or a server announces it.
///
/// Lists without a fixed size are not part of it, and can be read from the reply: unknown keywords, the
/// arguments of BURL, the keywords of NO-SOLICITING, the attributes of XCLIENT and XFORWARD, and
/// mechanisms that [`SaslMechanism`](crate::syntax::sasl::SaslMechanism) does not name. What an
/// application offers of these, and private keywords that it knows, it names as [`Offers`].
///
/// ```
/// use ehlo::{Extension, Parsed, Policy, Reply};
/// use ehlo::syntax::capability::Capabilities;
///
/// let bytes = b"250-mx.example greets you\r\n250-SIZE 35882577\r\n250 STARTTLS\r\n";
/// let Parsed::Complete { value, .. } = Reply::parse(bytes, &Policy::STRICT)? else { panic!() };
/// let offered = Capabilities::from_reply(&value);
/// assert!(offered.contains(Extension::StartTls));
/// assert_eq!(offered.size(), Some(35_882_577));
///
/// const OWN: Capabilities = Capabilities::NONE.with(Extension::StartTls).with_size(35_882_577);
/// assert_eq!(offered, OWN);
/// # Ok::<(), ehlo::SyntaxError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Capabilities {
    /// A bit for each extension, and above them one for each private line of `offers`.
    pub(super) offered: u64,
    size: u64,
    mechanisms: Mechanisms,
    limits: Numbers,
    /// `u32::MAX` if the server gave no by-time.
    deliver_by: u32,
    future_release: Option<FutureRelease>,
    has_size: bool,
    profile: Profile,
    pub(super) offers: &'static Offers,
}

/// A registered priority profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Profile {
    None,
    Mixer,
    Stanag4406,
    Nsep,
}

impl Capabilities {
    /// No extensions, as after HELO.
    pub const NONE: Self = Self {
        offered: 0,
        size: 0,
        mechanisms: Mechanisms::NONE,
        limits: Numbers::NONE,
        deliver_by: u32::MAX,
        future_release: None,
        has_size: false,
        profile: Profile::None,
        offers: Offers::NONE,
    };

    /// The extensions that a 250 to EHLO offers; [`NONE`](Self::NONE) for every other reply.
    ///
    /// RFC 5321 §4.1.1.1: the first line has the server's name and a greeting, and no keyword.
    pub fn from_reply(reply: &Reply<'_>) -> Self {
        let mut offered = Self::NONE;
        if reply.code() != Code::OK {
            return offered;
        }
        let Some(bytes) = reply.as_bytes() else {
            reply.lines().skip(1).for_each(|line| offered.insert(&Capability::parse(line)));
            return offered;
        };
        let mut rest = wire_line(bytes).map_or(bytes, |(_, rest)| rest);
        while let Some(line) = rest.get(4..) {
            let (length, extension) = Extension::front(line);
            // Most lines consist of a keyword alone and need no search for its end.
            let bit = extension.map_or(0, Extension::bit);
            if let Some([b'\r', b'\n', after @ ..]) = line.get(length..) {
                if bit & NEVER_ALONE == 0 && (bit != 0 || !is_odd(line, length)) {
                    offered.offered |= bit;
                    rest = after;
                    continue;
                }
            }
            let Some((line, after)) = wire_line(rest) else { break };
            if let Some(extension) = extension {
                let parameters = line.get(length..).unwrap_or_default();
                if let Some(capability) = Capability::with_parameters(extension, parameters) {
                    offered.insert(&capability);
                }
            } else if is_odd(line, length) {
                offered.insert(&Capability::parse(line));
            }
            rest = after;
        }
        offered
    }

    /// Adds an extension without parameters.
    ///
    /// FUTURERELEASE and LIMITS need parameters and are added by
    /// [`with_future_release`](Self::with_future_release) and [`with_limits`](Self::with_limits)
    /// alone.
    #[must_use]
    pub const fn with(self, extension: Extension) -> Self {
        match extension {
            Extension::FutureRelease if self.future_release.is_none() => self,
            Extension::Limits if !self.has_limits() => self,
            _ => Self { offered: self.offered | extension.bit(), ..self },
        }
    }

    /// Removes an extension and its parameters.
    #[must_use]
    pub const fn without(self, extension: Extension) -> Self {
        let rest = Self { offered: self.offered & !extension.bit(), ..self };
        match extension {
            Extension::Size => Self { size: 0, has_size: false, ..rest },
            Extension::Auth => Self { mechanisms: Mechanisms::NONE, ..rest },
            Extension::DeliverBy => Self { deliver_by: u32::MAX, ..rest },
            Extension::FutureRelease => Self { future_release: None, ..rest },
            Extension::Limits => Self { limits: Numbers::NONE, ..rest },
            Extension::MtPriority => Self { profile: Profile::None, ..rest },
            _ => rest,
        }
    }

    /// Adds SIZE with the largest message in bytes; zero for no fixed maximum.
    #[must_use]
    pub const fn with_size(self, bytes: u64) -> Self {
        Self { size: bytes, has_size: true, ..self }.with(Extension::Size)
    }

    /// Adds AUTH with exactly these mechanisms.
    #[must_use]
    pub const fn with_mechanisms(self, mechanisms: Mechanisms) -> Self {
        Self { mechanisms, ..self }.with(Extension::Auth)
    }

    /// Adds LIMITS with exactly these limits.
    #[must_use]
    pub const fn with_limits(self, limits: Limits<'_>) -> Self {
        let rest = self.without(Extension::Limits);
        Self { limits: Numbers::new(limits.numbers()), ..rest }.with(Extension::Limits)
    }

    /// Adds DELIVERBY with its smallest by-time in seconds.
    #[must_use]
    pub const fn with_deliver_by(self, minimum: Option<u32>) -> Self {
        let deliver_by = match DeliverBy::new(minimum).minimum() {
            Some(seconds) => seconds,
            None => u32::MAX,
        };
        Self { deliver_by, ..self }.with(Extension::DeliverBy)
    }

    /// Adds FUTURERELEASE with its parameters.
    #[must_use]
    pub const fn with_future_release(self, future_release: FutureRelease) -> Self {
        Self { future_release: Some(future_release), ..self }.with(Extension::FutureRelease)
    }

    /// Adds MT-PRIORITY with its profile; a profile that is not registered is left out.
    #[must_use]
    pub fn with_priority_profile(self, profile: PriorityProfile<'_>) -> Self {
        Self { profile: Profile::of(profile), ..self }.with(Extension::MtPriority)
    }

    /// Adds the offer of one line of an EHLO reply. The parameters of a second line for the same
    /// extension replace those of the first; mechanisms and limits add up.
    pub fn insert(&mut self, capability: &Capability<'_>) {
        let Some(extension) = capability.extension() else { return };
        self.offered |= extension.bit();
        match *capability {
            Capability::Size(Some(size)) => (self.size, self.has_size) = (size, true),
            // RFC 4954 §4 has no `AUTH=`; where both forms are offered, their lists may differ.
            Capability::Auth(mechanisms) | Capability::LegacyAuth(mechanisms) => {
                self.mechanisms = self.mechanisms.union(mechanisms.known());
            }
            Capability::DeliverBy(deliver_by) if deliver_by.minimum().is_some() => {
                *self = self.with_deliver_by(deliver_by.minimum());
            }
            Capability::FutureRelease(future_release) => self.future_release = Some(future_release),
            Capability::Limits(limits) => {
                let (own, new) = (self.limits.get(), limits.numbers());
                let last = |own, new| if new > 0 { new } else { own };
                let limits = (last(own.0, new.0), last(own.1, new.1), last(own.2, new.2));
                self.limits = Numbers::new(limits);
            }
            Capability::MtPriority(Some(profile)) => self.profile = Profile::of(profile),
            _ => {}
        }
    }

    /// The extensions that both offer, for a proxy that must not offer more than the server behind it.
    ///
    /// The result has the smaller of two sizes and two limits, and the larger of two by-times. AUTH is
    /// left out if both name mechanisms and none is common.
    ///
    /// ```
    /// use ehlo::Extension;
    /// use ehlo::syntax::capability::Capabilities;
    ///
    /// let own = Capabilities::from_iter([Extension::Pipelining, Extension::Dsn]).with_size(10_000);
    /// let behind = Capabilities::NONE.with(Extension::Pipelining).with_size(5_000);
    /// assert_eq!(own.intersection(behind), behind);
    /// ```
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        let registered = self.offered & other.offered & REGISTERED;
        let private = self.offered & self.private(|keyword| other.offers_keyword(keyword));
        let mut both = Self { offered: registered | private, offers: self.offers, ..Self::NONE };
        let given = |a: u32, b: u32| if a == 0 || b == 0 { a.max(b) } else { a.min(b) };
        if both.contains(Extension::Size) {
            both.has_size = self.has_size || other.has_size;
            both.size = match (self.size, other.size) {
                (0, size) | (size, 0) => size,
                (a, b) => a.min(b),
            };
        }
        if both.contains(Extension::Limits) {
            let (a, b) = (self.limits.get(), other.limits.get());
            both.limits = Numbers::new((given(a.0, b.0), given(a.1, b.1), given(a.2, b.2)));
        }
        if both.contains(Extension::DeliverBy) {
            let minimum = self.deliver_by().max(other.deliver_by());
            both = both.with_deliver_by(minimum);
        }
        if both.contains(Extension::FutureRelease) {
            both.future_release = match (self.future_release, other.future_release) {
                (Some(a), Some(b)) => Some(a.intersection(b)),
                (a, b) => a.or(b),
            };
        }
        if both.contains(Extension::MtPriority) && self.profile == other.profile {
            both.profile = self.profile;
        }
        if both.contains(Extension::Auth) {
            both.mechanisms = self.mechanisms.intersection(other.mechanisms);
            let named = !self.mechanisms.is_empty() && !other.mechanisms.is_empty();
            if named && both.mechanisms.is_empty() {
                return both.without(Extension::Auth);
            }
        }
        both
    }

    /// Returns `true` if an extension is offered.
    pub const fn contains(&self, extension: Extension) -> bool {
        self.offered & extension.bit() != 0
    }

    /// Returns `true` if nothing is offered.
    pub const fn is_empty(&self) -> bool {
        self.offered == 0
    }

    /// The largest message in bytes, zero for no fixed maximum; `None` if no size was given. RFC 1870
    /// §4.
    pub const fn size(&self) -> Option<u64> {
        if self.has_size { Some(self.size) } else { None }
    }

    /// The mechanisms of AUTH.
    pub const fn mechanisms(&self) -> Mechanisms {
        self.mechanisms
    }

    /// The limits, RFC 9422.
    pub const fn limits(&self) -> Limits<'static> {
        let (rcpt_max, mail_max, rcpt_domain_max) = self.limits.get();
        Limits::NONE
            .with_rcpt_max(rcpt_max)
            .with_mail_max(mail_max)
            .with_rcpt_domain_max(rcpt_domain_max)
    }

    /// RCPT commands of one transaction, RFC 9422 §4.2.
    pub const fn rcpt_max(&self) -> Option<u32> {
        self.limits().rcpt_max()
    }

    /// MAIL commands of one session, RFC 9422 §4.1.
    pub const fn mail_max(&self) -> Option<u32> {
        self.limits().mail_max()
    }

    /// Different domains of the recipients of one session, RFC 9422 §4.3.
    pub const fn rcpt_domain_max(&self) -> Option<u32> {
        self.limits().rcpt_domain_max()
    }

    /// The smallest by-time in seconds, RFC 2852 §2; `None` if the server gave no by-time.
    pub const fn deliver_by(&self) -> Option<u32> {
        if self.deliver_by == u32::MAX { None } else { Some(self.deliver_by) }
    }

    /// The longest wait and the latest time of a future release, RFC 4865 §3.
    pub const fn future_release(&self) -> Option<FutureRelease> {
        self.future_release
    }

    /// The priority assignment profile, RFC 6710 §3, if it is a registered one.
    pub const fn priority_profile(&self) -> Option<PriorityProfile<'static>> {
        match self.profile {
            Profile::None => None,
            Profile::Mixer => Some(PriorityProfile::MIXER),
            Profile::Stanag4406 => Some(PriorityProfile::STANAG4406),
            Profile::Nsep => Some(PriorityProfile::NSEP),
        }
    }

    /// The lines of an EHLO reply that offers these extensions, in the order of [`Extension::ALL`].
    ///
    /// XCLIENT and XFORWARD have all attributes that Postfix documents.
    pub const fn iter(&self) -> CapabilitiesIter {
        CapabilitiesIter { offered: *self, left: self.offered }
    }

    const fn has_limits(&self) -> bool {
        self.limits.is_some()
    }

    /// The line of an extension.
    fn capability(&self, extension: Extension) -> Option<Capability<'static>> {
        Some(match extension {
            Extension::Size => Capability::Size(self.size()),
            Extension::Auth => Capability::Auth(AuthMechanisms::of(self.mechanisms)),
            Extension::DeliverBy => Capability::DeliverBy(DeliverBy::new(self.deliver_by())),
            Extension::FutureRelease => Capability::FutureRelease(self.future_release?),
            // RFC 9422 §3: `limits-param` has one limit at least.
            Extension::Limits if !self.has_limits() => return None,
            Extension::Limits => Capability::Limits(self.limits()),
            Extension::MtPriority => Capability::MtPriority(self.priority_profile()),
            Extension::NoSoliciting => {
                let none = Capability::NoSoliciting(SolicitationKeywords::NONE);
                self.offers.words(extension).unwrap_or(none)
            }
            Extension::Xclient => {
                let all = Capability::Xclient(EhloParams::received(XCLIENT));
                self.offers.words(extension).unwrap_or(all)
            }
            Extension::Xforward => {
                let all = Capability::Xforward(EhloParams::received(XFORWARD));
                self.offers.words(extension).unwrap_or(all)
            }
            Extension::Burl => {
                let none = Capability::Burl(EhloParams::NONE);
                self.offers.words(extension).unwrap_or(none)
            }
            _ => Capability::of(extension, EhloParams::NONE)?,
        })
    }
}

/// The lines of [`Capabilities`] in turn, from [`Capabilities::iter`].
///
/// ```
/// use ehlo::{Capability, Extension};
/// use ehlo::syntax::capability::Capabilities;
///
/// for capability in Capabilities::NONE.with(Extension::Dsn) {
///     assert_eq!(capability, Capability::Dsn);
/// }
/// ```
#[derive(Clone, Debug)]
pub struct CapabilitiesIter {
    offered: Capabilities,
    /// The extensions that are still to come.
    left: u64,
}

impl Iterator for CapabilitiesIter {
    type Item = Capability<'static>;

    fn next(&mut self) -> Option<Capability<'static>> {
        loop {
            let place = self.left.trailing_zeros() as usize;
            let Some(extension) = Extension::ALL.get(place).copied() else {
                self.left &= self.left.wrapping_sub(1);
                return self.offered.private_line(place);
            };
            self.left &= !extension.bit();
            if let Some(capability) = self.offered.capability(extension) {
                return Some(capability);
            }
        }
    }
}

impl FusedIterator for CapabilitiesIter {}

impl IntoIterator for Capabilities {
    type Item = Capability<'static>;
    type IntoIter = CapabilitiesIter;

    fn into_iter(self) -> CapabilitiesIter {
        self.iter()
    }
}

impl IntoIterator for &Capabilities {
    type Item = Capability<'static>;
    type IntoIter = CapabilitiesIter;

    fn into_iter(self) -> CapabilitiesIter {
        self.iter()
    }
}

/// See [`Capabilities::with`].
impl FromIterator<Extension> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Extension>>(extensions: I) -> Self {
        extensions.into_iter().fold(Self::NONE, Self::with)
    }
}

/// See [`Capabilities::insert`].
impl<'a> FromIterator<Capability<'a>> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability<'a>>>(lines: I) -> Self {
        let mut offered = Self::NONE;
        offered.extend(lines);
        offered
    }
}

impl<'a> Extend<Capability<'a>> for Capabilities {
    fn extend<I: IntoIterator<Item = Capability<'a>>>(&mut self, lines: I) {
        lines.into_iter().for_each(|line| self.insert(&line));
    }
}

/// The lines, joined by commas, for a log.
///
/// ```
/// use ehlo::Extension;
/// use ehlo::syntax::capability::Capabilities;
///
/// let offered = Capabilities::NONE.with(Extension::Pipelining).with_size(1000);
/// assert_eq!(offered.to_string(), "SIZE 1000, PIPELINING");
/// ```
impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for line in self {
            write!(f, "{}{line}", core::mem::replace(&mut separator, ", "))?;
        }
        Ok(())
    }
}

impl Default for Capabilities {
    fn default() -> Self {
        Self::NONE
    }
}

impl Profile {
    fn of(profile: PriorityProfile<'_>) -> Self {
        if profile == PriorityProfile::MIXER {
            Self::Mixer
        } else if profile == PriorityProfile::STANAG4406 {
            Self::Stanag4406
        } else if profile == PriorityProfile::NSEP {
            Self::Nsep
        } else {
            Self::None
        }
    }
}

/// Returns `true` if a line that does not begin with a known word and a space may still be an
/// offer: `length` is zero, or the last of the first `length` bytes is neither a space nor a
/// control byte.
fn is_odd(line: &[u8], length: usize) -> bool {
    let word = line.get(..length).unwrap_or(line);
    word.is_empty() || word.iter().any(|&byte| byte == b'=' || byte > b'~')
}

/// Extensions that need parameters.
const NEVER_ALONE: u64 = Extension::FutureRelease.bit() | Extension::Limits.bit();

/// Postfix, `XCLIENT_README`.
const XCLIENT: &[u8] = b"NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT";
/// Postfix, `XFORWARD_README`.
const XFORWARD: &[u8] = b"NAME ADDR PORT PROTO HELO IDENT SOURCE";

const _: () = assert!(size_of::<Capabilities>() <= 64);
