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
        pub struct GeneralPurpose(GeneralPurposeConfig);

        #[derive(Clone, Copy)]
        pub struct GeneralPurposeConfig {
            trailing_bits: bool,
        }

        pub const STANDARD: GeneralPurpose = GeneralPurpose(GeneralPurposeConfig::new());

        impl GeneralPurposeConfig {
            pub const fn new() -> Self {
                Self { trailing_bits: false }
            }

            pub const fn with_decode_allow_trailing_bits(self, trailing_bits: bool) -> Self {
                Self { trailing_bits }
            }
        }

        impl GeneralPurpose {
            pub const fn new(_: &crate::alphabet::Alphabet, config: GeneralPurposeConfig) -> Self {
                Self(config)
            }
        }

        impl crate::Engine for GeneralPurpose {
            fn takes_trailing_bits(&self) -> bool {
                self.0.trailing_bits
            }
        }
    }
}

/// The slice is too short, or bits are left over.
#[derive(Debug)]
pub struct Refused;

pub trait Engine {
    fn takes_trailing_bits(&self) -> bool;

    fn encode_slice(&self, bytes: impl AsRef<[u8]>, out: &mut [u8]) -> Result<usize, Refused> {
        let mut length = 0_usize;
        for bytes in bytes.as_ref().chunks(3) {
            let bits = [16, 8, 0]
                .iter()
                .zip(bytes)
                .fold(0, |bits, (shift, byte)| bits | u32::from(*byte) << shift);
            for place in 0..4_usize {
                let sextet = (bits >> (18 - 6 * place as u32)) as usize & 63;
                let digit = if place > bytes.len() { b'=' } else { DIGITS[sextet] };
                *out.get_mut(length).ok_or(Refused)? = digit;
                length = length.wrapping_add(1);
            }
        }
        Ok(length)
    }

    fn decode_slice(&self, digits: impl AsRef<[u8]>, out: &mut [u8]) -> Result<usize, Refused> {
        let mut length = 0_usize;
        for digits in digits.as_ref().chunks(4) {
            let padding = digits.iter().filter(|digit| **digit == b'=').count();
            let bits = digits.iter().fold(0_u32, |bits, digit| {
                let sextet = DIGITS.iter().position(|other| other == digit).unwrap_or_default();
                bits << 6 | sextet as u32
            });
            let left_over = bits & (1_u32 << (8 * padding as u32 & 31)).wrapping_sub(1);
            if left_over != 0 && !self.takes_trailing_bits() {
                return Err(Refused);
            }
            let [_, bytes @ ..] = bits.to_be_bytes();
            for byte in bytes.iter().take(3_usize.saturating_sub(padding)) {
                *out.get_mut(length).ok_or(Refused)? = *byte;
                length = length.wrapping_add(1);
            }
        }
        Ok(length)
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
