//! The part of the crate `base64` that ehlo uses, four digits at a time.
//!
//! The real one checks its bounds where the optimiser cannot see that they hold, so no caller could
//! ever be proved. The tests and the proof in `../../freestanding` are made with the real one.
#![no_std]
#![forbid(unsafe_code)]

pub mod alphabet {
    pub struct Alphabet;
    pub const STANDARD: Alphabet = Alphabet;
}

pub mod engine {
    pub mod general_purpose {
        pub struct GeneralPurpose;
        pub struct GeneralPurposeConfig;

        impl GeneralPurposeConfig {
            pub const fn new() -> Self {
                Self
            }

            pub const fn with_decode_allow_trailing_bits(self, _: bool) -> Self {
                self
            }
        }

        impl GeneralPurpose {
            pub const fn new(_: &crate::alphabet::Alphabet, _: GeneralPurposeConfig) -> Self {
                Self
            }
        }

        impl crate::Engine for GeneralPurpose {}
    }
}

/// The slice is too short.
#[derive(Debug)]
pub struct TooShort;

pub trait Engine {
    fn encode_slice(&self, octets: impl AsRef<[u8]>, out: &mut [u8]) -> Result<usize, TooShort> {
        let mut length = 0_usize;
        for octets in octets.as_ref().chunks(3) {
            let bits = [16, 8, 0]
                .iter()
                .zip(octets)
                .fold(0, |bits, (shift, octet)| bits | u32::from(*octet) << shift);
            for place in 0..4_usize {
                let sextet = (bits >> (18 - 6 * place as u32)) as usize & 63;
                let digit = if place > octets.len() { b'=' } else { DIGITS[sextet] };
                *out.get_mut(length).ok_or(TooShort)? = digit;
                length = length.wrapping_add(1);
            }
        }
        Ok(length)
    }

    fn decode_slice(&self, digits: impl AsRef<[u8]>, out: &mut [u8]) -> Result<usize, TooShort> {
        let mut length = 0_usize;
        for digits in digits.as_ref().chunks(4) {
            let padding = digits.iter().filter(|digit| **digit == b'=').count();
            let bits = digits.iter().fold(0_u32, |bits, digit| {
                let sextet = DIGITS.iter().position(|other| other == digit).unwrap_or_default();
                bits << 6 | sextet as u32
            });
            let [_, octets @ ..] = bits.to_be_bytes();
            for octet in octets.iter().take(3_usize.saturating_sub(padding)) {
                *out.get_mut(length).ok_or(TooShort)? = *octet;
                length = length.wrapping_add(1);
            }
        }
        Ok(length)
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
