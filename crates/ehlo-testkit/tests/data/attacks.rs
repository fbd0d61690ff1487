//! Published attacks and known traps, by the numbers of `docs/security.md`.

use ehlo::data::NewlineErrorKind::{self, BareCr, BareLf, LineTooLong, Nul};
use ehlo::data::{ChunkDecoder, Content, DataDecoder, DataEncoder, NewlineError, Newlines};
use ehlo::syntax::limits;
use ehlo_testkit::mail_data::{Outcome, decode, encode};
use ehlo_testkit::split::every_split;

const ALL: [Newlines; 4] =
    [Newlines::Reject, Newlines::RejectAroundDot, Newlines::Normalise, Newlines::Keep];

/// What follows a forged end: were it one, these would be commands.
const FORGED: &[u8] = b"MAIL FROM:<x@y>\r\nRCPT TO:<z@y>\r\nDATA\r\nforged\r\n.\r\n";

/// `text` and a forged transaction are one message; `Reject` and, unless it is `None`,
/// `RejectAroundDot` refuse it for `reject` and `around_dot`: the kind and the offset.
fn never_ends(
    text: &[u8],
    body: &[u8],
    reject: Option<(NewlineErrorKind, u64)>,
    around_dot: Option<(NewlineErrorKind, u64)>,
) {
    let end = b"MAIL FROM:<x@y>\r\nRCPT TO:<z@y>\r\nDATA\r\nforged\r\n".len();
    let input = [text, FORGED, b"QUIT\r\n"].concat();
    let consumed = text.len() + FORGED.len();
    let body = [body, &FORGED[..end]].concat();
    let verdict = |violation| match violation {
        None => Ok(()),
        Some((kind, offset)) => Err(NewlineError { kind, offset }),
    };
    every_split(&input, |pieces| {
        let kept = decode(DataDecoder::new(Newlines::Keep), pieces);
        assert_eq!(kept, Outcome { body: body.clone(), end: Some((Ok(()), consumed)) });
        let strict = decode(DataDecoder::new(Newlines::Reject), pieces);
        assert_eq!(strict.end, Some((verdict(reject), consumed)), "{}", text.escape_ascii());
        let lenient = decode(DataDecoder::new(Newlines::RejectAroundDot), pieces);
        assert_eq!(lenient.end, Some((verdict(around_dot), consumed)), "{}", text.escape_ascii());
        let normal = decode(DataDecoder::new(Newlines::Normalise), pieces);
        assert_eq!(normal.end, Some((Ok(()), consumed)), "{}", text.escape_ascii());
        // What it gives must not smuggle on its next hop either.
        let wire = encode(DataEncoder::new(Newlines::Keep), &[&normal.body], 64).expect("kept");
        let again = decode(DataDecoder::new(Newlines::Normalise), &[&wire]);
        assert_eq!(again.body, normal.body);
    });
}

/// The same violation under both rejecting policies.
fn refused(text: &[u8], body: &[u8], kind: NewlineErrorKind, offset: u64) {
    never_ends(text, body, Some((kind, offset)), Some((kind, offset)));
}

/// The data is `body` and ends at the end of `input`, under every policy.
fn ends(input: &[u8], body: &[u8]) {
    let expected = Outcome { body: body.to_vec(), end: Some((Ok(()), input.len())) };
    let longer = [input, b"QUIT\r\n"].concat();
    for newlines in ALL {
        every_split(&longer, |pieces| {
            assert_eq!(decode(DataDecoder::new(newlines), pieces), expected, "{newlines:?}");
        });
    }
}

#[test]
fn v01_lf_dot_lf_is_no_end() {
    refused(b"A\n.\n", b"A\n.\n", BareLf, 1);
}

#[test]
fn v02_lf_dot_crlf_is_no_end() {
    refused(b"A\n.\r\n", b"A\n.\r\n", BareLf, 1);
}

#[test]
fn v03_crlf_dot_lf_is_no_end() {
    refused(b"A\r\n.\n", b"A\r\n\n", BareLf, 4);
}

#[test]
fn v04_bare_cr_around_a_dot_is_no_end() {
    refused(b"A\r.\r", b"A\r.\r", BareCr, 1);
    refused(b"A\r.\r\n", b"A\r.\r\n", BareCr, 1);
    refused(b"A\r.\n", b"A\r.\n", BareCr, 1);
    refused(b"A\n.\r", b"A\n.\r", BareLf, 1);
    refused(b"A\r\n.\r", b"A\r\n\r", BareCr, 4);
}

#[test]
fn v05_cr_crlf_does_not_collapse() {
    refused(b"A\r\n.\r\r\n", b"A\r\n\r\r\n", BareCr, 4);
    never_ends(b"A\r\r\n.\r\r\n", b"A\r\r\n\r\r\n", Some((BareCr, 1)), Some((BareCr, 5)));
}

#[test]
fn v06_crlf_dot_crlf_behind_a_bare_cr_is_the_end() {
    every_split(b"A\r\r\n.\r\nQUIT\r\n", |pieces| {
        let kept = decode(DataDecoder::new(Newlines::Keep), pieces);
        assert_eq!(kept, Outcome { body: b"A\r\r\n".to_vec(), end: Some((Ok(()), 7)) });
        let strict = decode(DataDecoder::new(Newlines::Reject), pieces);
        assert_eq!(strict.end, Some((Err(NewlineError { kind: BareCr, offset: 1 }), 7)));
        let lenient = decode(DataDecoder::new(Newlines::RejectAroundDot), pieces);
        assert_eq!(lenient, kept);
        let normal = decode(DataDecoder::new(Newlines::Normalise), pieces);
        assert_eq!(normal, Outcome { body: b"A\r\n\r\n".to_vec(), end: Some((Ok(()), 7)) });
    });
}

#[test]
fn v07_nul_around_a_dot_is_no_end() {
    refused(b"A\r\n\0.\r\n", b"A\r\n\0.\r\n", Nul, 3);
    refused(b"A\r\n.\0\r\n", b"A\r\n\0\r\n", Nul, 4);
    refused(b"A\r\n.\r\0\n", b"A\r\n\r\0\n", BareCr, 4);
}

#[test]
fn v08_white_space_around_a_dot_is_no_end() {
    for space in [" ", "\t", "\x0b", "\x0c", "\u{85}", "\u{2028}"] {
        let space = space.as_bytes();
        let dotted = [b"A\r\n.", space, b"\r\n"].concat();
        never_ends(&dotted, &[b"A\r\n", space, b"\r\n"].concat(), None, None);
        let indented = [b"A\r\n", space, b".\r\n"].concat();
        never_ends(&indented, &indented, None, None);
        let alone = [b"A", space, b".", space].concat();
        never_ends(&alone, &alone, None, None);
    }
    never_ends(b"A\r\n.\x85\r\n", b"A\r\n\x85\r\n", None, None);
}

#[test]
fn v09_first_line() {
    ends(b".\r\n", b"");
    refused(b".\n", b"\n", BareLf, 1);
    refused(b".\r", b"\r", BareCr, 1);
    refused(b"\n.\r\n", b"\n.\r\n", BareLf, 0);
    refused(b"\r.\r\n", b"\r.\r\n", BareCr, 0);
}

#[test]
fn v10_a_forged_transaction_is_data() {
    for forged in ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n\0.\r\n", "\r\n. \r\n"] {
        let input = [b"first", forged.as_bytes(), FORGED].concat();
        every_split(&input, |pieces| {
            let Outcome { body, end } = decode(DataDecoder::new(Newlines::Keep), pieces);
            assert_eq!(end, Some((Ok(()), input.len())), "one transaction");
            let text = String::from_utf8(body).expect("ASCII");
            assert!(text.contains("MAIL FROM:<x@y>\r\nRCPT TO:<z@y>\r\nDATA\r\nforged\r\n"));
        });
    }
}

#[test]
fn v11_end_in_pieces() {
    ends(b"a\r\n.\r\n", b"a\r\n");
    ends(b"a\r\n..\r\n.\r\n", b"a\r\n.\r\n");
    let expected = Outcome { body: b"a\r\n".to_vec(), end: Some((Ok(()), 6)) };
    let pieces: [&[u8]; 6] = [b"a", b"\r", b"\n", b".", b"\r", b"\n"];
    assert_eq!(decode(DataDecoder::new(Newlines::Reject), &pieces), expected);
}

#[test]
fn v12_no_line_starts_at_the_edge_of_a_buffer() {
    let edges = [512, 999, 1000, 1024, 2048, 4096, 8192, 65536];
    for length in edges.into_iter().flat_map(|edge| edge - 2..=edge + 1) {
        let mut input = vec![b'x'; length];
        input.extend_from_slice(b".\r\n");
        let body = input.clone();
        input.extend_from_slice(b".\r\n");
        let expected = Outcome { body, end: Some((Ok(()), input.len())) };
        for newlines in ALL {
            let decoder = DataDecoder::new(newlines);
            assert_eq!(decode(decoder, &[&input]), expected);
            for size in [512, 1000, 1024, 4096, length, length + 1, length + 2] {
                let pieces: Vec<_> = input.chunks(size).collect();
                assert_eq!(decode(decoder, &pieces), expected, "{length} in pieces of {size}");
            }
        }
    }
}

#[test]
fn v13_a_long_line_is_reported_at_the_end() {
    let limit = u16::try_from(limits::TEXT_LINE).expect("a limit");
    for (length, is_over) in [(997, false), (998, false), (999, true), (1000, true), (70_000, true)]
    {
        for (start, dot) in [("", 0), ("short\r\n", 0), ("short\r\n.", 1)] {
            let mut input = start.as_bytes().to_vec();
            input.resize(start.len() + length, b'x');
            // No line starts in the middle of a long one.
            input.extend_from_slice(b"\r\n.\r\n");
            let verdict = if is_over {
                let offset = (start.len() - dot + dot + limits::TEXT_LINE) as u64;
                Err(NewlineError { kind: LineTooLong, offset })
            } else {
                Ok(())
            };
            for newlines in ALL {
                let decoder = DataDecoder::new(newlines).with_line_limit(Some(limit));
                for size in [1, 7, 500, 999, 1000, 1001, 100_000] {
                    let pieces: Vec<_> = input.chunks(size).collect();
                    let Outcome { body, end } = decode(decoder, &pieces);
                    assert_eq!(end, Some((verdict, input.len())), "{length} in pieces of {size}");
                    let most = start.len() - dot + limits::TEXT_LINE;
                    assert_eq!(body.len(), (input.len() - dot - 3).min(most));
                }
                let unlimited = DataDecoder::new(newlines);
                assert_eq!(decode(unlimited, &[&input]).end, Some((Ok(()), input.len())));
            }
        }
    }
}

#[test]
fn v14_one_dot_is_removed_and_only_at_the_start_of_a_line() {
    ends(b"..\r\n.\r\n", b".\r\n");
    ends(b".a\r\n.\r\n", b"a\r\n");
    ends(b"...\r\n.\r\n", b"..\r\n");
    ends(b". \r\n.\r\n", b" \r\n");
    ends(
        b"a\r\n..\r\n.a\r\n...\r\n. \r\na.\r\na..b\r\n.\r\n",
        b"a\r\n.\r\na\r\n..\r\n \r\na.\r\na..b\r\n",
    );
}

#[test]
fn v15_every_byte_is_data() {
    let all: Vec<u8> = (0..=255).collect();
    let input = [&all[..], b"\r\n.\r\n"].concat();
    let expected = [&all[..], b"\r\n"].concat();
    every_split(&input, |pieces| {
        for newlines in [Newlines::Keep, Newlines::RejectAroundDot] {
            let outcome = decode(DataDecoder::new(newlines), pieces);
            assert_eq!(outcome, Outcome { body: expected.clone(), end: Some((Ok(()), 261)) });
        }
    });
}

#[test]
fn v16_what_was_kept_does_not_leave_again() {
    for text in ["A\n.\n", "A\r.\r", "A\n.\r\n", "A\r\n\0.\r\n"] {
        every_split(text.as_bytes(), |pieces| {
            for newlines in [Newlines::Reject, Newlines::RejectAroundDot] {
                encode(DataEncoder::new(newlines), pieces, 64).expect_err("smuggled");
            }
        });
    }
}

#[test]
fn v17_a_bare_cr_or_lf_does_not_leave() {
    let cases: [(&[u8], NewlineErrorKind, u64, &[u8]); 5] = [
        (b"a\n.\nb", BareLf, 1, b"a\r\n..\r\nb\r\n.\r\n"),
        (b"test\n.test\n", BareLf, 4, b"test\r\n..test\r\n.\r\n"),
        (b"a\r.\rb", BareCr, 1, b"a\r\n..\r\nb\r\n.\r\n"),
        (b"a\r\r\n.\r\n", BareCr, 1, b"a\r\n\r\n..\r\n.\r\n"),
        (b"a\0", Nul, 1, b"a\0\r\n.\r\n"),
    ];
    for (content, kind, offset, normal) in cases {
        every_split(content, |pieces| {
            for room in 2..20 {
                let strict = encode(DataEncoder::new(Newlines::Reject), pieces, room);
                assert_eq!(strict, Err(NewlineError { kind, offset }));
                let wire = encode(DataEncoder::new(Newlines::Normalise), pieces, room);
                assert_eq!(wire.as_deref(), Ok(normal));
            }
        });
    }
}

#[test]
fn v18_a_dot_behind_an_empty_line_is_stuffed() {
    leaves(b"x\r\n\r\n.\r\nRCPT TO:<a@b>\r\n", b"x\r\n\r\n..\r\nRCPT TO:<a@b>\r\n.\r\n");
}

#[test]
fn v19_a_dot_is_stuffed_across_pieces() {
    leaves(b"x\r\n.\r\n", b"x\r\n..\r\n.\r\n");
    leaves(b".", b"..\r\n.\r\n");
    leaves(b".\r\n.\r\n", b"..\r\n..\r\n.\r\n");
    every_split(b"x\r\n.", |pieces| {
        let wire = encode(DataEncoder::new(Newlines::Keep), pieces, 2);
        assert_eq!(wire.as_deref(), Ok(&b"x\r\n..\r\n.\r\n"[..]));
    });
}

#[test]
fn v20_the_last_line_is_ended() {
    leaves(b"", b".\r\n");
    leaves(b"foo", b"foo\r\n.\r\n");
    leaves(b"foo\r\n", b"foo\r\n.\r\n");
    every_split(b"foo\r", |pieces| {
        let strict = encode(DataEncoder::new(Newlines::Reject), pieces, 8);
        assert_eq!(strict, Err(NewlineError { kind: BareCr, offset: 3 }));
        let normal = encode(DataEncoder::new(Newlines::Normalise), pieces, 8);
        assert_eq!(normal.as_deref(), Ok(&b"foo\r\n.\r\n"[..]));
        let kept = encode(DataEncoder::new(Newlines::Keep), pieces, 8);
        assert_eq!(kept.as_deref(), Ok(&b"foo\r\r\n.\r\n"[..]));
    });
}

#[test]
fn v74_v76_a_chunk_is_counted_and_not_read() {
    let chunks: [&[u8]; 4] = [b"a\r", b"\n.\r", b"\n", b""];
    let wire = b"a\r\n.\r\nRSET\r\n";
    every_split(wire, |pieces| {
        let mut sizes = chunks.iter().map(|chunk| chunk.len() as u64);
        let mut chunk = ChunkDecoder::new(Newlines::Reject);
        chunk.begin(sizes.next().expect("a chunk"), false);
        let mut body = Vec::new();
        let mut is_over = false;
        let mut consumed = 0;
        for piece in pieces {
            let mut at = 0;
            while !is_over {
                let decoded = chunk.take(&piece[at..]);
                at += decoded.consumed;
                match decoded.content {
                    Content::Data(data) => body.extend_from_slice(data),
                    Content::NeedInput => break,
                    Content::End(end) => {
                        assert_eq!(end, Ok(()));
                        match sizes.next() {
                            Some(size) => chunk.begin(size, sizes.len() == 0),
                            None => is_over = true,
                        }
                    }
                }
            }
            consumed += at;
        }
        assert!(is_over);
        assert_eq!((&body[..], consumed), (&wire[..6], 6));
    });
}

#[test]
fn sizes() {
    assert!(size_of::<DataDecoder>() <= 16);
    assert!(size_of::<DataEncoder>() <= 16);
    assert!(size_of::<ChunkDecoder>() <= 32);
}

#[test]
fn a_decoder_takes_one_message_after_another() {
    let mut decoder = DataDecoder::new(Newlines::Reject).with_line_limit(Some(6));
    let bare = NewlineError { kind: BareLf, offset: 1 };
    let long = NewlineError { kind: LineTooLong, offset: 9 };
    let messages: [(&[u8], _); 4] = [
        (b"a\nb\r\n.\r\n", Err(bare)),
        (b".abcd\r\n.\r\n", Ok(())),
        (b"a\r\nabcdefg\r\n.\r\n", Err(long)),
        (b".\r\n", Ok(())),
    ];
    for (input, verdict) in messages {
        let mut at = 0;
        let end = loop {
            let step = decoder.decode(&input[at..]);
            at += step.consumed;
            match step.content {
                Content::Data(_) => {}
                Content::NeedInput => panic!("{} has an end", input.escape_ascii()),
                Content::End(end) => break end,
            }
        };
        assert_eq!((end, at), (verdict, input.len()));
    }
}

#[test]
fn nothing_is_handed_out_after_an_error() {
    let input = b"a\nb\r\n.c\r\n.d\r\n..\r\n\n.\r\n.e\r\n.\r\n";
    let verdict = Err(NewlineError { kind: BareLf, offset: 1 });
    every_split(input, |pieces| {
        let outcome = decode(DataDecoder::new(Newlines::Reject), pieces);
        assert_eq!(outcome, Outcome { body: b"a".to_vec(), end: Some((verdict, input.len())) });
    });
}

#[test]
fn the_line_limit_counts_normalised_lines() {
    let decoder = DataDecoder::new(Newlines::Normalise).with_line_limit(Some(6));
    let long = Err(NewlineError { kind: LineTooLong, offset: 12 });
    for (input, verdict) in [
        (&b"abcd\nabcd\rabcd\r\n.\r\n"[..], Ok(())),
        (b"\n\n\n\r\r\r.abcd\r\n.\r\n", long),
        (b"abcdef\nabcdefg\r\n.\r\n", Err(NewlineError { kind: LineTooLong, offset: 6 })),
    ] {
        every_split(input, |pieces| {
            assert_eq!(decode(decoder, pieces).end, Some((verdict, input.len())));
        });
    }
    every_split(b"abcd\nabcde\n.\r\n", |pieces| {
        assert_eq!(decode(decoder, pieces).end, None);
    });
}

#[test]
fn an_error_of_the_encoder_stays() {
    let mut encoder = DataEncoder::new(Newlines::Reject);
    let error = NewlineError { kind: BareLf, offset: 3 };
    encoder.encode(b"ab", &mut [0; 8]).expect("no error yet");
    assert_eq!(encoder.encode(b"c\nd", &mut [0; 8]), Err(error));
    assert_eq!(encoder.encode(b"d", &mut [0; 8]), Err(error));
    assert_eq!(encoder.finish(&mut [0; 8]), Err(error.into()));
}

/// `content` is `wire` under every policy, in any pieces and any room.
fn leaves(content: &[u8], wire: &[u8]) {
    for newlines in ALL {
        every_split(content, |pieces| {
            for room in DataEncoder::MIN_ROOM..12 {
                let encoded = encode(DataEncoder::new(newlines), pieces, room);
                assert_eq!(encoded.as_deref(), Ok(wire), "{newlines:?} in {room} bytes");
            }
        });
    }
}
