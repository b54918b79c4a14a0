//! Lengths of time as the engines, which are written in Go, print them:
//! `1m30s`, `500ms`.

use anyhow::{Context, Result};
use std::time::Duration;

const UNITS: [(&str, f64); 6] = [
    ("ns", 1e-9),
    ("us", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
];

/// Understands one; longer than nothing.
///
/// Source: Go's time.ParseDuration
pub(crate) fn parse(text: &str) -> Result<Duration> {
    let unknown = || format!("{text:?} is not a time such as 500ms or 1m30s");
    let mut seconds = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let (number, after) =
            rest.split_at(rest.find(|c| !is_number(c)).with_context(unknown)?);
        let end = after.find(is_number).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let unit = UNITS.iter().find(|(name, _)| *name == unit);
        let (_, length) = unit.with_context(unknown)?;
        seconds += number.parse::<f64>().with_context(unknown)? * length;
        rest = after;
    }
    let duration = Duration::try_from_secs_f64(seconds).ok();
    duration.filter(|duration| !duration.is_zero()).with_context(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_sum_of_numbers_with_units() {
        for (text, milliseconds) in [
            ("5s", 5000),
            ("500ms", 500),
            ("1m30s", 90_000),
            ("1.5h", 5_400_000),
        ] {
            assert_eq!(
                parse(text).unwrap(),
                Duration::from_millis(milliseconds),
                "{text}"
            );
        }
        for text in ["", "5", "s", "0s", "-1s", "5 s", "5parsecs", "1..2s"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
