//! One line of a file of vectors.

use serde_json::Value;

/// The vectors of a file. The files are part of this package and checked by its tests, so a line
/// that cannot be read is a fault of the package, and panics.
pub(super) fn lines(text: &'static str) -> impl Iterator<Item = Line> {
    text.lines().map(|line| Line(serde_json::from_str(line).expect("a line of JSON")))
}

pub(super) struct Line(Value);

impl Line {
    /// A string; empty if there is none.
    pub(super) fn text(&self, key: &str) -> String {
        self.0[key].as_str().unwrap_or_default().to_owned()
    }

    pub(super) fn is(&self, key: &str) -> bool {
        self.0[key].as_bool().unwrap_or_default()
    }

    pub(super) fn is_valid(&self) -> bool {
        self.0["expect"] == "ok"
    }

    pub(super) fn number<N: TryFrom<u64>>(&self, key: &str) -> Option<N> {
        N::try_from(self.0[key].as_u64()?).ok()
    }

    /// The bytes of a string, in which each character stands for one; `None` for null.
    pub(super) fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        self.0[key].as_str().map(bytes)
    }

    pub(super) fn list(&self, key: &str) -> Vec<String> {
        let list = self.0[key].as_array().into_iter().flatten();
        list.filter_map(|item| Some(item.as_str()?.to_owned())).collect()
    }

    pub(super) fn objects(&self, key: &str) -> Vec<Self> {
        self.0[key].as_array().into_iter().flatten().cloned().map(Self).collect()
    }
}

/// The bytes of a string, in which each character stands for one.
pub(super) fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).expect("a byte")).collect()
}
