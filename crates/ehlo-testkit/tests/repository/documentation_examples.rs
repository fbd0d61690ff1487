//! Every public type of the published crates has an example in its own documentation, and it runs:
//! `cargo test --doc` runs it, and here it is looked for.

use std::path::{Path, PathBuf};
use std::{fs, io};

#[test]
fn every_public_type_has_an_example() -> io::Result<()> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the folder of crates");
    let (mut types, mut without) = (0, Vec::new());
    for package in fs::read_dir(crates)? {
        for file in sources(&package?.path().join("src"))? {
            for (name, has_example) in public_types(&fs::read_to_string(&file)?) {
                types += 1;
                if !has_example {
                    without.push(format!("{}: {name}", file.display()));
                }
            }
        }
    }
    assert!(types > 100, "only {types} types were found");
    assert!(without.is_empty(), "without an example:\n{}", without.join("\n"));
    Ok(())
}

/// Every file of Rust in a folder and below it.
fn sources(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

/// The public structs, enums, unions and traits of a file, and whether the documentation of each
/// has an example that runs: a fence without a word that keeps it from running.
fn public_types(source: &str) -> Vec<(&str, bool)> {
    let mut types = Vec::new();
    let (mut in_example, mut has_example) = (false, false);
    // Lines between the documentation and its item.
    let mut in_attribute = false;
    for line in source.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            if let Some(words) = text.trim().strip_prefix("```") {
                has_example |= !in_example && words.is_empty();
                in_example = !in_example;
            }
            continue;
        }
        in_attribute |= line.starts_with("#[");
        if in_attribute {
            in_attribute = !line.ends_with(']');
            continue;
        }
        if let Some(name) = type_name(line) {
            types.push((name, has_example));
        }
        if !line.starts_with("//") {
            (in_example, has_example) = (false, false);
        }
    }
    types
}

/// The name of the public type that is declared in a line.
fn type_name(line: &str) -> Option<&str> {
    let declared = line.strip_prefix("pub ")?;
    let words = ["struct ", "enum ", "union ", "trait "];
    let name = words.iter().find_map(|word| declared.strip_prefix(word))?;
    let name = name.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next();
    // Where a macro declares it, `$name`, its documentation comes with the name.
    name.filter(|name| !name.is_empty())
}

#[test]
fn an_example_is_told_from_none() {
    let source = "\
/// One.
///
/// ```
/// let one = 1;
/// ```
#[derive(Clone)]
#[cfg_attr(
    feature, doc
)]
pub struct One(u8);

/// Two.
///
/// ```text
/// 2
/// ```
pub enum Two {}

pub(crate) struct Three;
pub trait Four<T> {}
";
    assert_eq!(public_types(source), [("One", true), ("Two", false), ("Four", false)]);
}
