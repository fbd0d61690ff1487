//! The adapters: each test is written once, over any of them, and runs through each.

#![allow(unreachable_pub)] // what the parts share

mod carry;
mod conformance;
mod pipe;
mod tls;
mod wires;

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use carry::{Adapter, AsyncStd, Blocking, Smol, Tokio};

/// The tests of a module, generic over [`carry::Adapter`], for each adapter.
macro_rules! adapters {
    ($($(#[$attribute:meta])* $test:ident: |$adapter:ident| $body:expr;)*) => {
        adapters! { @each blocking Blocking $($(#[$attribute])* $test $adapter $body;)* }
        adapters! { @each tokio_runtime Tokio $($(#[$attribute])* $test $adapter $body;)* }
        adapters! { @each smol_runtime Smol $($(#[$attribute])* $test $adapter $body;)* }
        adapters! { @each async_std_runtime AsyncStd $($(#[$attribute])* $test $adapter $body;)* }
    };
    (@each $module:ident $type:ident $($(#[$attribute:meta])* $test:ident $adapter:ident $body:expr;)*) => {
        mod $module {
            use super::*;

            $(
                #[test]
                $(#[$attribute])*
                fn $test() {
                    type $adapter = $type;
                    in_time(|| $body);
                }
            )*
        }
    };
}

/// A test that stands still fails.
fn in_time(test: impl FnOnce() + Send + 'static) {
    let (done, wait) = mpsc::channel();
    let test = thread::spawn(move || {
        test();
        done.send(())
    });
    match wait.recv_timeout(Duration::from_secs(120)) {
        Err(RecvTimeoutError::Timeout) => panic!("it stands still"),
        _ => assert!(test.join().is_ok(), "it failed: see above"),
    }
}

use conformance::{Layer, conforms};
use wires::Kind;

adapters! {
    transcripts_in_memory: |A| conforms::<A>(Kind::Memory(A::NARROW), Layer::Clear);
    transcripts_in_memory_inside_tls: |A| conforms::<A>(Kind::Memory(1 << 16), Layer::Tls);
    transcripts_over_tcp: |A| conforms::<A>(Kind::Tcp, Layer::Clear);
    transcripts_over_tcp_inside_tls: |A| conforms::<A>(Kind::Tcp, Layer::Tls);
}
