//! Moments of RFC 3339 against a calendar.

#![allow(clippy::unwrap_used)] // a test fails by a panic

use ehlo::syntax::parameter::DateTime;
use proptest::prelude::*;

proptest! {
    /// A moment is what a calendar that walks day by day says.
    #[test]
    fn moments(days in 0_i64..60_000, seconds in 0_i64..86_400) {
        let (mut year, mut month, mut rest) = (1970_i64, 1, days);
        let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        loop {
            let length = match month {
                2 => 28 + i64::from(leap(year)),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            if rest < length {
                break;
            }
            rest -= length;
            month += 1;
            if month == 13 {
                (year, month) = (year + 1, 1);
            }
        }
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let text = format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", rest + 1);
        assert_eq!(DateTime::new(&text).unwrap().unix_seconds(), days * 86_400 + seconds);
    }
}
