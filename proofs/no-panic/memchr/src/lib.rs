//! The part of the crate `memchr` that ehlo and nom use, byte by byte.
//!
//! On x86-64 memchr picks its routine at run time and calls it through a pointer. The optimiser
//! cannot know that nothing behind it unwinds, so no caller could ever be proved. The proof in
//! `../../freestanding-no-panic` is made with the real one.
#![no_std]
#![forbid(unsafe_code)]

pub fn memchr(needle: u8, haystack: &[u8]) -> Option<usize> {
    first(haystack, |byte| byte == needle)
}

pub fn memchr2(needle1: u8, needle2: u8, haystack: &[u8]) -> Option<usize> {
    first(haystack, |byte| byte == needle1 || byte == needle2)
}

pub fn memchr3(needle1: u8, needle2: u8, needle3: u8, haystack: &[u8]) -> Option<usize> {
    first(haystack, |byte| byte == needle1 || byte == needle2 || byte == needle3)
}

pub fn memrchr(needle: u8, haystack: &[u8]) -> Option<usize> {
    let mut length = haystack.len();
    while let Some((last, rest)) = haystack.get(..length)?.split_last() {
        length = rest.len();
        if *last == needle {
            return Some(length);
        }
    }
    None
}

pub fn memchr_iter(needle: u8, haystack: &[u8]) -> impl Iterator<Item = usize> + '_ {
    (0..haystack.len()).filter(move |at| haystack.get(*at) == Some(&needle))
}

fn first(haystack: &[u8], is_wanted: impl Fn(u8) -> bool) -> Option<usize> {
    // `position` promises its caller that the place is within the slice, as memchr does.
    haystack.iter().position(|byte| is_wanted(*byte))
}
