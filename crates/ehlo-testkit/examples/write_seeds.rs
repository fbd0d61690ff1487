//! Writes the seeds of the properties as files, for a fuzzer: `write_seeds FOLDER`. Each property has a
//! folder of its own there.
#![allow(clippy::print_stderr)] // the usage

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use ehlo_testkit::{property, seeds};

fn main() -> io::Result<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    let (Some(folder), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: write_seeds FOLDER");
        return Ok(ExitCode::from(2));
    };
    for (property, _) in property::ALL {
        let folder = Path::new(&folder).join(property);
        fs::create_dir_all(&folder)?;
        for (name, seed) in seeds::of(property) {
            fs::write(folder.join(name), seed)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
