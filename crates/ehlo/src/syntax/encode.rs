//! Encoding a value into the caller's slice.

/// A value with exactly one form on the wire.
///
/// Encoding writes the whole value, or an error says how many bytes it needs.
///
/// ```
/// use ehlo::{Command, Encode};
///
/// let mut out = [0; 8];
/// let written = Command::Quit.encode(&mut out)?;
/// assert_eq!(&out[..written], b"QUIT\r\n");
/// assert_eq!(Command::Quit.encode(&mut [0; 3]).unwrap_err().needed, 6);
/// # Ok::<(), ehlo::syntax::BufferTooSmall>(())
/// ```
pub trait Encode {
    /// Appends the wire form of the value to `writer`.
    fn write_to(&self, writer: &mut Writer<'_>);

    /// Writes the wire form to the front of `out` and returns its length in bytes.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`] when the value does not fit; the content of `out` is then unspecified.
    fn encode(&self, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
        let mut writer = Writer::new(out);
        self.write_to(&mut writer);
        writer.finish()
    }

    /// The length in bytes of the wire form.
    fn encoded_len(&self) -> usize {
        let mut writer = Writer::new(&mut []);
        self.write_to(&mut writer);
        writer.needed
    }
}

/// The error for an output slice that is too short. The caller must not use what was written.
///
/// ```
/// use ehlo::{Code, Encode};
/// use ehlo::syntax::BufferTooSmall;
///
/// assert_eq!(Code::OK.encode(&mut [0; 2]), Err(BufferTooSmall { needed: 3 }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferTooSmall {
    /// The number of bytes that the whole value needs.
    pub needed: usize,
}

impl core::fmt::Display for BufferTooSmall {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "the output needs {} bytes", self.needed)
    }
}

impl core::error::Error for BufferTooSmall {}

/// A cursor over the caller's slice, which keeps counting past its end.
///
/// ```
/// use ehlo::Encode;
/// use ehlo::syntax::Writer;
/// use ehlo::syntax::code::EnhancedCode;
///
/// let mut out = [0; 16];
/// let mut writer = Writer::new(&mut out);
/// writer.put_number(250);
/// writer.put_byte(b' ');
/// EnhancedCode::new(2, 0, 0).unwrap().write_to(&mut writer);
/// assert_eq!(writer.finish(), Ok(9));
/// assert_eq!(&out[..9], b"250 2.0.0");
/// ```
#[derive(Debug)]
pub struct Writer<'o> {
    out: &'o mut [u8],
    needed: usize,
}

impl<'o> Writer<'o> {
    /// A writer at the front of `out`.
    pub fn new(out: &'o mut [u8]) -> Self {
        Self { out, needed: 0 }
    }

    /// Appends `bytes`.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        let rest = self.out.get_mut(self.needed..).unwrap_or_default();
        if let Some(room) = rest.get_mut(..bytes.len()) {
            room.copy_from_slice(bytes);
        }
        self.needed = self.needed.saturating_add(bytes.len());
    }

    /// Appends one byte.
    #[inline]
    pub fn put_byte(&mut self, byte: u8) {
        self.put(&[byte]);
    }

    /// Appends `number` in decimal.
    pub fn put_number(&mut self, mut number: u64) {
        if number < 10 {
            return self.put_byte(b'0' + number.to_le_bytes()[0]);
        }
        let mut digits = [0; 20];
        let mut at = digits.len();
        while let Some(slot) = at.checked_sub(1).and_then(|i| digits.get_mut(i)) {
            at -= 1;
            // A remainder of ten fits in a byte.
            *slot = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.put(digits.get(at..).unwrap_or_default());
    }

    /// The number of bytes written so far, including those that did not fit.
    pub const fn needed(&self) -> usize {
        self.needed
    }

    /// The number of bytes written.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`] when the bytes did not fit.
    pub fn finish(self) -> Result<usize, BufferTooSmall> {
        if self.needed <= self.out.len() {
            Ok(self.needed)
        } else {
            Err(BufferTooSmall { needed: self.needed })
        }
    }
}

/// Lets `write!` format numbers and addresses into the slice; never fails.
impl core::fmt::Write for Writer<'_> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.put(text.as_bytes());
        Ok(())
    }
}
