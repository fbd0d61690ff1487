//! Content by BDAT against the same content by DATA.

use ehlo::data::{ChunkDecoder, Content, Newlines};
use ehlo::server::ServerLimits;
use ehlo::syntax::capability::Capabilities;
use ehlo::{Extension, ServerConfig};

use super::{choices, pieces};
use crate::mail_data::reference::encoded;
use crate::peer::Peer;

/// Lines by DATA, and the same by BDAT in chunks of any sizes, cut anywhere: the verdict and the
/// stored content are the same; and [`ChunkDecoder`] alone agrees with the server.
pub fn chunks(input: &[u8]) {
    let ([policy, text_line, first, second, others, cuts @ ..], bytes) = choices::<8>(input);
    let newlines = match policy % 4 {
        0 => Newlines::Reject,
        1 => Newlines::RejectAroundDot,
        2 => Newlines::Normalise,
        _ => Newlines::Keep,
    };
    // RFC 5321 §4.1.1.4: DATA ends the last line, and BDAT does not.
    let mut content = bytes.to_vec();
    if !content.is_empty() && !content.ends_with(b"\r\n") {
        content.extend_from_slice(b"\r\n");
    }
    let limits =
        ServerLimits { text_line: text_line.into(), idle: u16::MAX, ..ServerLimits::DEFAULT };
    let offered = Capabilities::NONE.with(Extension::Chunking);
    let peer = opened(ServerConfig { newlines, limits, offered, ..ServerConfig::DEFAULT });

    let mut by_data = peer.clone();
    let wire = encoded(Newlines::Keep, &content).expect("everything is kept");
    let replies = by_data.feed(&[b"DATA\r\n", &wire[..]].concat());
    let [354, verdict] = replies[..] else { panic!("{replies:?} to DATA") };

    let parts = pieces(&content, [first, second, others]);
    let mut bytes = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        let last = if place + 1 == parts.len() { " LAST" } else { "" };
        bytes.extend(format!("BDAT {}{last}\r\n", part.len()).bytes());
        bytes.extend_from_slice(part);
    }
    let mut by_chunks = peer;
    let replies = by_chunks.feed_pieces(&pieces(&bytes, cuts));
    let refused = replies.iter().copied().find(|code| *code != 250);
    assert_eq!(refused.unwrap_or(250), verdict, "{newlines:?}: {replies:?}");
    assert_eq!(by_chunks.application.messages, by_data.application.messages, "{newlines:?}");

    let mut decoder = ChunkDecoder::new(newlines).with_line_limit(Some(text_line.into()));
    let alone = decoded(&mut decoder, &parts, cuts);
    let stored = by_data.application.messages.first().map(|message| &message.content);
    assert_eq!(alone.as_ref(), stored, "{newlines:?}");
}

/// A peer with a recipient.
fn opened(config: ServerConfig) -> Peer {
    let mut peer = Peer::new(config);
    peer.feed(b"");
    peer.feed(b"EHLO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n");
    peer
}

/// The result of decoding `parts`, each of them cut; `None` if the decoder refuses them.
fn decoded(decoder: &mut ChunkDecoder, parts: &[&[u8]], cuts: [u8; 3]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    let mut refused = false;
    for (place, part) in parts.iter().enumerate() {
        decoder.begin(part.len() as u64, place + 1 == parts.len());
        let mut pieces = pieces(part, cuts).into_iter();
        let mut rest: &[u8] = &[];
        loop {
            let step = decoder.take(rest);
            rest = &rest[step.consumed..];
            match step.content {
                Content::Data(data) => body.extend_from_slice(data),
                Content::NeedInput if rest.is_empty() => rest = pieces.next().unwrap_or_default(),
                Content::NeedInput => {}
                Content::End(end) => {
                    refused |= end.is_err();
                    break;
                }
            }
        }
        assert!(rest.is_empty() && pieces.all(<[u8]>::is_empty), "bytes left behind");
    }
    (!refused).then_some(body)
}
