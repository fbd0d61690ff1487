//! Every transcript, carried by an adapter: the server against bytes that nothing has made, and
//! both machines against each other.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::thread;

use ehlo::Server;
use ehlo::server::Event;
use ehlo_blocking::{HalfClose, Tls};
use ehlo_io::PendingEvent;
use ehlo_testkit::transcript::{Item, Script, Sender, Transcript};

use crate::carry::{Adapter, BlockingIo, Blocks};
use crate::tls;
use crate::wires::{Kind, wires};

/// Whether, and from where, a session is inside TLS.
#[derive(Clone, Copy, PartialEq)]
pub enum Layer {
    /// No TLS: if a transcript begins TLS, both ends say so and continue in clear text.
    Clear,
    /// From where the transcript has it, or else from its beginning.
    Tls,
}

pub fn conforms<A: Adapter>(kind: Kind, layer: Layer) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    let (mut failures, mut count) = (Vec::new(), 0);
    for entry in fs::read_dir(directory).expect("the transcripts") {
        let path = entry.expect("a transcript").path();
        let transcript = fs::read_to_string(&path).map_err(|error| error.to_string());
        let transcript =
            transcript.and_then(|text| Transcript::parse(&text)).expect("a transcript");
        let mut checks = vec![("bytes", bytes::<A>(&transcript, kind, layer))];
        if !transcript.only_server {
            checks.push(("pair", pair::<A>(&transcript, kind, layer)));
        }
        count += 1;
        for (how, check) in checks {
            if let Err(why) = check {
                let name = path.file_name().unwrap_or_default();
                failures.push(format!("{}, {how}: {why}", name.to_string_lossy()));
            }
        }
    }
    assert!(count >= 70, "only {count} transcripts");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The server against the client's bytes, whose replies must be the transcript's to the byte.
fn bytes<A: Adapter>(transcript: &Transcript, kind: Kind, layer: Layer) -> Result<(), String> {
    let (client, server) = wires(kind);
    thread::scope(|scope| {
        let server = scope.spawn(move || {
            let adapter = A::default();
            let stream = adapter.stream(server);
            serve(&adapter, stream, transcript, layer)
        });
        let heard = speak(BlockingIo.stream(client), transcript, layer);
        let serving = server.join().map_err(|_| "the server panicked")?;
        heard.and(serving)
    })
}

fn speak(mut stream: Blocks, transcript: &Transcript, layer: Layer) -> Result<(), String> {
    let because = |error: io::Error| format!("the client: {error}");
    if begins_in_tls(transcript, layer) {
        stream = connect(stream)?;
    }
    let exchanges = transcript.exchanges();
    for (place, (lines, replies)) in exchanges.iter().enumerate() {
        if place > 0 && layer == Layer::Tls {
            stream = connect(stream)?;
        }
        // A server that has said enough does not read the rest.
        let written = write_all(&mut stream, lines);
        let mut heard = Vec::new();
        if place + 1 == exchanges.len() {
            patient(|| stream.half_close()).ok();
            let mut piece = [0; 4096];
            while let Ok(bytes @ 1..) = patient(|| stream.read(&mut piece)) {
                heard.extend(&piece[..bytes]);
            }
        } else {
            written.map_err(because)?;
            heard.resize(replies.len(), 0);
            let mut filled = 0;
            while filled < heard.len() {
                match patient(|| stream.read(&mut heard[filled..])).map_err(because)? {
                    0 => return Err("the server closes".into()),
                    bytes => filled += bytes,
                }
            }
        }
        if heard != *replies {
            let [heard, replies] = [&heard, replies].map(|all| all.escape_ascii().to_string());
            return Err(format!("{heard} instead of {replies}"));
        }
    }
    Ok(())
}

fn write_all(stream: &mut Blocks, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = patient(|| stream.write(bytes))?;
        bytes = &bytes[written..];
    }
    patient(|| stream.flush())
}

/// The stream returns an error when it would block.
pub fn patient<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return done,
        }
    }
}

fn connect(stream: Blocks) -> Result<Blocks, String> {
    let stream = Tls::handshake(stream, tls::client());
    let stream = stream.map_err(|error| format!("the client's handshake: {error}"))?;
    Ok(Blocks(Box::new(stream)))
}

fn begins_in_tls(transcript: &Transcript, layer: Layer) -> bool {
    layer == Layer::Tls && !transcript.items.contains(&Item::Tls)
}

fn serve<A: Adapter>(
    adapter: &A,
    stream: A::Stream,
    transcript: &Transcript,
    layer: Layer,
) -> Result<(), String> {
    let because = |error: io::Error| format!("the server: {error}");
    let mut script = Script::new(transcript);
    let mut connection = adapter.connection(stream, Server::new(transcript.config));
    if begins_in_tls(transcript, layer) {
        adapter.accept_implicit(&mut connection, tls::server()).map_err(because)?;
    }
    loop {
        let answered = adapter.next(&mut connection, |PendingEvent { event, responder }| {
            let wanted = script.wanted(&event, responder.machine())?;
            if let Some(wanted) = &wanted {
                responder.reply(&wanted.reply()?).map_err(|error| error.to_string())?;
            }
            Ok::<_, String>((wanted, event == Event::StartTls, event == Event::Closed))
        });
        let (wanted, begins_tls, closed) = answered.map_err(because)??;
        let endpoint = adapter.endpoint(&mut connection);
        if let Some(wanted) = wanted {
            script.answered(&wanted, endpoint.machine().state())?;
        }
        if begins_tls {
            script.tls();
            match layer {
                Layer::Clear => endpoint.tls_established().map_err(|error| error.to_string())?,
                Layer::Tls => {
                    adapter.accept_tls(&mut connection, tls::server()).map_err(because)?;
                }
            }
        }
        if closed {
            // Who has heard enough may be gone.
            adapter.close(&mut connection).ok();
            return script.finish();
        }
    }
}

/// Both machines, each carried by the adapter.
fn pair<A: Adapter>(transcript: &Transcript, kind: Kind, layer: Layer) -> Result<(), String> {
    let (client, server) = wires(kind);
    thread::scope(|scope| {
        let server = scope.spawn(move || {
            let adapter = A::default();
            let stream = adapter.stream(server);
            serve(&adapter, stream, transcript, layer)
        });
        let adapter = A::default();
        let stream = adapter.stream(client);
        let heard = send(&adapter, stream, transcript, layer);
        let serving = server.join().map_err(|_| "the server panicked")?;
        heard.and(serving)
    })
}

fn send<A: Adapter>(
    adapter: &A,
    stream: A::Stream,
    transcript: &Transcript,
    layer: Layer,
) -> Result<(), String> {
    let because = |error: io::Error| format!("the client: {error}");
    let mut sender = Sender::new(transcript);
    let (machine, _) = transcript.client().into_parts();
    let mut connection = adapter.connection(stream, machine);
    if begins_in_tls(transcript, layer) {
        adapter.connect_implicit(&mut connection, tls::client()).map_err(because)?;
    }
    for item in &transcript.items {
        match item {
            Item::Tls if layer == Layer::Tls => {
                adapter.connect_tls(&mut connection, tls::client()).map_err(because)?;
            }
            Item::Tls => adapter
                .endpoint(&mut connection)
                .tls_established()
                .map_err(|error| error.to_string())?,
            Item::Server(_) => {
                let heard = adapter.next(&mut connection, |turn| sender.heard(&turn.event));
                if !heard.map_err(because)?? {
                    return Err("an event that is none".into());
                }
            }
            _ => {}
        }
        sender.step(item, adapter.endpoint(&mut connection))?;
    }
    adapter.flush(&mut connection).map_err(because)?;
    adapter.close(&mut connection).map_err(because)
}
