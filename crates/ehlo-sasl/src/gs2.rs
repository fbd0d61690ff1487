//! The names in a GS2 header, RFC 5801 §4, with which OAUTHBEARER and SCRAM begin.

use ehlo::syntax::Writer;

/// Appends `name` as `saslname = 1*(value-safe-char / "=2C" / "=3D")`, RFC 5802 §7.
pub(super) fn put_saslname(name: &str, writer: &mut Writer<'_>) {
    name.bytes().for_each(|byte| match byte {
        b',' => writer.put(b"=2C"),
        b'=' => writer.put(b"=3D"),
        _ => writer.put_byte(byte),
    });
}

/// The name that a `saslname` encodes, decoded in place; `None` if it is not a `saslname`.
pub(super) fn saslname(name: &mut [u8]) -> Option<&str> {
    let (mut from, mut to) = (0, 0);
    while let Some(byte) = name.get(from) {
        let (byte, width) = match byte {
            b'=' => match name.get(from..)? {
                [_, b'2', b'C', ..] => (b',', 3),
                [_, b'3', b'D', ..] => (b'=', 3),
                _ => return None,
            },
            0 | b',' => return None,
            byte => (*byte, 1),
        };
        *name.get_mut(to)? = byte;
        from += width;
        to += 1;
    }
    core::str::from_utf8(name.get(..to)?).ok().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec::Vec;

    #[test]
    fn names() {
        for (written, name) in
            [("a", "a"), ("=2C=3D", ",="), ("x=3D3D", "x=3D"), ("é=2Cü", "é,ü"), ("=3D", "=")]
        {
            let mut bytes: Vec<u8> = written.into();
            assert_eq!(saslname(&mut bytes), Some(name));
            let mut out = [0; 32];
            let mut writer = Writer::new(&mut out);
            put_saslname(name, &mut writer);
            let length = writer.finish().map_err(|error| error.needed);
            assert_eq!(length, Ok(written.len()));
            assert_eq!(out.get(..written.len()), Some(written.as_bytes()));
        }
        for wrong in ["", ",", "a,b", "=", "=2", "=2c", "=3d", "a=2D", "\0"] {
            let mut bytes: Vec<u8> = wrong.into();
            assert_eq!(saslname(&mut bytes), None, "{wrong:?}");
        }
        assert_eq!(saslname(&mut [0xFF]), None);
    }
}
