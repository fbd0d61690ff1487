//! The negative control: shows that the proof can fail.

#[cfg(feature = "control-panic")]
#[no_panic::no_panic]
#[inline(never)]
fn fourth(input: &[u8]) -> u8 {
    input[3]
}

#[cfg(not(feature = "control-panic"))]
fn fourth(input: &[u8]) -> u8 {
    input.get(3).copied().unwrap_or_default()
}

pub fn run(input: &[u8]) -> u8 {
    fourth(input)
}
