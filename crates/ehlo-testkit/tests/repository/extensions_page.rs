//! `docs/extensions.md` against the registries.

use ehlo::Extension;
use ehlo_testkit::vectors::{PARAMETERS, rows};

const PAGE: &str = include_str!("../../../../docs/extensions.md");

#[test]
fn the_page_names_every_keyword_and_every_parameter() {
    for extension in Extension::ALL {
        assert!(PAGE.contains(&format!("| `{}` |", extension.keyword())), "{extension:?}");
    }
    for row in rows(PARAMETERS) {
        let (verb, keyword) = (row[0].split('/').next().unwrap_or_default(), row[1]);
        assert!(PAGE.contains(&format!("`{keyword}` ({verb}")), "{keyword} ({verb}");
    }
}
