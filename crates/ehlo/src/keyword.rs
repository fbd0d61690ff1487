//! A fixed list of names, found in any case without going through all of it.

/// Names of which each has a slot of its own.
pub(crate) struct Names<const N: usize> {
    names: [&'static str; N],
    /// The place of the name in each slot; `u8::MAX` where there is none.
    slots: [u8; SLOTS],
}

impl<const N: usize> Names<N> {
    /// An index of `names`, which must be in upper case, for a constant: fails to compile where
    /// two of them have the same slot; then [`slot`] needs other factors.
    pub(crate) const fn new(names: [&'static str; N]) -> Self {
        let mut slots = [u8::MAX; SLOTS];
        let mut place = 0;
        while place < N {
            let slot = slot(names[place].as_bytes());
            assert!(slots[slot] == u8::MAX, "two names have one slot");
            // Fewer than 128, or else two of them had one slot.
            #[allow(clippy::cast_possible_truncation)]
            {
                slots[slot] = place as u8;
            }
            place += 1;
        }
        Self { names, slots }
    }

    /// The place of `name` in the list, in any case.
    #[inline]
    pub(crate) fn find(&self, name: &[u8]) -> Option<usize> {
        let place = usize::from(self.slots[slot(name)]);
        let found = self.names.get(place)?;
        found.as_bytes().eq_ignore_ascii_case(name).then_some(place)
    }
}

/// The slot of a name, by its length and four of its octets.
#[inline]
const fn slot(name: &[u8]) -> usize {
    let [first, second, .., last] = name else { return 0 };
    let between = match name.split_at_checked(name.len().wrapping_mul(5) / 8) {
        Some((_, [between, ..])) => between,
        _ => last,
    };
    ((*first | 0x20) as usize
        + (*second | 0x20) as usize * 19
        + (*between | 0x20) as usize * 2
        + (*last | 0x20) as usize * 2
        + name.len())
        % SLOTS
}

const SLOTS: usize = 128;
