//! What needs the repository around this package: its pages, the sources of the other crates, the
//! seeds of the fuzz targets. It is not part of the published package.

mod departures_page;
mod documentation_examples;
mod extensions_page;
mod fuzz_seeds;
mod security_page;
