//! The adapters: each test is written once, over any of them, and runs through each.

#![allow(unreachable_pub)] // what the parts share

mod carry;
mod conformance;
mod delivering;
mod keeping;
mod last_words;
mod limits;
mod memory;
mod patience;
mod pipe;
mod serving;
mod spawned;
mod streams;
mod tls;
mod wires;

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use carry::{Adapter, AsyncStd, BlockingIo, Smol, Tokio};

/// The tests of a module, generic over [`carry::Adapter`], for each adapter.
macro_rules! adapters {
    ($($(#[$attribute:meta])* $test:ident: |$adapter:ident| $body:expr;)*) => {
        adapters! { @each blocking BlockingIo $($(#[$attribute])* $test $adapter $body;)* }
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
use delivering::{
    delivers, leaves_a_server_that_is_not_authentic, says_that_it_ended_early,
    uses_its_credentials, writes_once_a_message,
};
use keeping::{a_kept_session_is_inside_tls, a_session_says_why_its_handshake_failed};
use last_words::{a_client_hears_it_before_the_error, a_refusal_within_content_counts};
use memory::{an_idle_connection_has_no_buffers, collects_messages};
use patience::{
    quit_is_not_waited_for, silent_clients_are_dropped, slow_content_is_taken,
    v98_clients_that_drip_are_dropped,
};
use serving::{
    a_handler_that_panics_ends_alone, a_server_that_shuts_down_returns,
    all_have_to_wait_when_it_is_full, one_address_has_its_share, what_is_open_is_finished,
};
use streams::{
    both_ends_have_one_channel_binding, full_pipes_do_not_wait_for_each_other,
    nothing_in_clear_survives_starttls, strangers_are_not_trusted, tls_begins_once,
    truncated_tls_completes_nothing,
};
use wires::Kind;

adapters! {
    transcripts_in_memory: |A| conforms::<A>(Kind::Memory(A::NARROW), Layer::Clear);
    transcripts_in_memory_inside_tls: |A| conforms::<A>(Kind::Memory(1 << 16), Layer::Tls);
    transcripts_over_tcp: |A| conforms::<A>(Kind::Tcp, Layer::Clear);
    transcripts_over_tcp_inside_tls: |A| conforms::<A>(Kind::Tcp, Layer::Tls);
    deliveries_in_memory: |A| delivers::<A>(Kind::Memory(1 << 14));
    deliveries_over_tcp: |A| delivers::<A>(Kind::Tcp);
    sessions_that_end_early: |A| says_that_it_ended_early::<A>();
    kept_sessions: |A| a_kept_session_is_inside_tls::<A>(Kind::Memory(1 << 14));
    kept_sessions_over_tcp: |A| a_kept_session_is_inside_tls::<A>(Kind::Tcp);
    handshakes_of_kept_sessions: |A| a_session_says_why_its_handshake_failed::<A>(Kind::Tcp);
    credentials: |A| uses_its_credentials::<A>();
    wrong_signatures: |A| leaves_a_server_that_is_not_authentic::<A>();
    messages_are_written_at_once: |A| writes_once_a_message::<A>();
    refusals_within_content: |A| a_refusal_within_content_counts::<A>();
    replies_before_an_error: |A| a_client_hears_it_before_the_error::<A>();
    full_pipes: |A| full_pipes_do_not_wait_for_each_other::<A>(Kind::Memory(1 << 16), Layer::Clear, 1 << 20);
    full_pipes_inside_tls: |A| full_pipes_do_not_wait_for_each_other::<A>(Kind::Memory(1 << 16), Layer::Tls, 1 << 20);
    full_sockets: |A| full_pipes_do_not_wait_for_each_other::<A>(Kind::Tcp, Layer::Clear, 24 << 20);
    full_sockets_inside_tls: |A| full_pipes_do_not_wait_for_each_other::<A>(Kind::Tcp, Layer::Tls, 12 << 20);
    truncated_tls: |A| truncated_tls_completes_nothing::<A>(Kind::Tcp);
    plaintext_behind_starttls: |A| nothing_in_clear_survives_starttls::<A>(Kind::Memory(4096));
    tls_twice: |A| tls_begins_once::<A>(Kind::Tcp);
    channel_binding: |A| both_ends_have_one_channel_binding::<A>(Kind::Memory(4096));
    sessions_of_one_address: |A| one_address_has_its_share::<A>();
    sessions_in_all: |A| all_have_to_wait_when_it_is_full::<A>();
    handlers_that_panic: |A| a_handler_that_panics_ends_alone::<A>();
    silent_clients: |A| silent_clients_are_dropped::<A>();
    v98_dripping_clients: |A| v98_clients_that_drip_are_dropped::<A>();
    slow_content: |A| slow_content_is_taken::<A>();
    unanswered_quit: |A| quit_is_not_waited_for::<A>();
    a_server_returns: |A| a_server_that_shuts_down_returns::<A>();
    shutdown: |A| what_is_open_is_finished::<A>();
    whole_messages: |A| collects_messages::<A>();
    memory: |A| an_idle_connection_has_no_buffers::<A>();
    certificates_are_checked: |A| strangers_are_not_trusted::<A>(Kind::Memory(4096));
}
