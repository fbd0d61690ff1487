//! What an application adds to the offers of the registry, in the summary of all of them.

use super::capability::Capability;
use super::offers::{FIRST_PRIVATE, Offer, Offers, REGISTERED};
use super::summary::Capabilities;
use crate::syntax::code::Code;
use crate::syntax::extension::Extension;
use crate::syntax::parameter::Place;
use crate::syntax::reply::reply::Reply;

impl Capabilities {
    /// Adds these lines, in place of those of an earlier call: private keywords with the parameters that
    /// they license, and what stands behind BURL, NO-SOLICITING, XCLIENT and XFORWARD.
    ///
    /// [`without_offers`](Self::without_offers) takes them back. An extension that is taken back by
    /// [`without`](Self::without) is no longer offered, with or without its words.
    ///
    /// ```
    /// use ehlo::syntax::capability::{Capabilities, Offer, Offers};
    ///
    /// static OFFERS: Offers = match Offers::new(&[Offer::new("NO-SOLICITING net.example:ADV")]) {
    ///     Ok(offers) => offers,
    ///     Err(_) => panic!("the line is right"),
    /// };
    /// let offered = Capabilities::NONE.with_offers(&OFFERS);
    /// assert_eq!(offered.to_string(), "NO-SOLICITING net.example:ADV");
    /// ```
    #[must_use]
    pub const fn with_offers(self, offers: &'static Offers) -> Self {
        let mut offered = self.without_offers();
        offered.offers = offers;
        let mut bit = FIRST_PRIVATE;
        let mut lines = offers.as_slice();
        while let [line, rest @ ..] = lines {
            offered.offered |= match line.extension() {
                Some(extension) => extension.bit(),
                None => bit,
            };
            bit <<= 1;
            lines = rest;
        }
        offered
    }

    /// Takes back the private keywords of [`with_offers`](Self::with_offers), and the words behind
    /// registered ones.
    #[must_use]
    pub const fn without_offers(self) -> Self {
        let mut offered = self;
        offered.offered &= REGISTERED;
        offered.offers = Offers::NONE;
        offered
    }

    /// As [`from_reply`](Self::from_reply), and which of the private keywords of `offers` the reply has.
    pub fn from_reply_with(reply: &Reply<'_>, offers: &'static Offers) -> Self {
        let mut offered = Self::from_reply(reply);
        offered.offers = offers;
        if offers.as_slice().is_empty() || reply.code() != Code::OK {
            return offered;
        }
        for line in reply.lines().skip(1) {
            if let Capability::Other { keyword, .. } = Capability::parse(line) {
                offered.offered |= offers.place(keyword).map_or(0, |place| FIRST_PRIVATE << place);
            }
        }
        offered
    }

    /// Whether a keyword, registered or private, is offered, in any case.
    ///
    /// ```
    /// use ehlo::Extension;
    /// use ehlo::syntax::capability::Capabilities;
    ///
    /// let offered = Capabilities::NONE.with(Extension::Dsn);
    /// assert!(offered.offers_keyword("dsn") && !offered.offers_keyword("XOORG"));
    /// ```
    pub fn offers_keyword(&self, keyword: &str) -> bool {
        match Extension::from_keyword(keyword.as_bytes()) {
            Some(extension) => self.contains(extension),
            None => self.offered & self.private(|own| own.eq_ignore_ascii_case(keyword)) != 0,
        }
    }

    /// Whether a private keyword that is offered licenses a parameter.
    pub(crate) fn licenses(&self, parameter: &str, place: Place) -> bool {
        let mut bit = FIRST_PRIVATE;
        for offer in self.offers.as_slice() {
            if self.offered & bit != 0 && offer.licenses(parameter, place) {
                return true;
            }
            bit <<= 1;
        }
        false
    }

    /// The private line whose bit this is.
    pub(super) fn private_line(&self, bit: usize) -> Option<Capability<'static>> {
        let place = bit.checked_sub(Extension::ALL.len())?;
        self.offers.as_slice().get(place).map(Offer::capability)
    }

    /// The bits of the private lines whose keyword is one of these.
    pub(super) fn private(&self, is_one: impl Fn(&str) -> bool) -> u64 {
        let mut bits = 0;
        for (place, offer) in self.offers.as_slice().iter().enumerate() {
            if is_one(offer.keyword()) {
                bits |= FIRST_PRIVATE << place;
            }
        }
        bits
    }
}
