//! Signals as engines spell them: `9`, `KILL`, `SIGKILL`, `RTMIN+3`.

use anyhow::{Context, Result, bail};
use nix::libc;
use nix::sys::signal::Signal;
use std::str::FromStr;

/// Reads a signal's name or number; gives its number, which may be a real-time
/// signal's.
///
/// Source: signal(7), "Standard signals" and "Real-time signals".
pub(crate) fn parse(text: &str) -> Result<i32> {
    if let Ok(number) = text.parse::<i32>() {
        return in_range(number, text);
    }
    let name = text.to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    if let Some(number) = real_time(name) {
        return in_range(
            number.with_context(|| format!("signal {text:?}"))?,
            text,
        );
    }
    match Signal::from_str(&format!("SIG{name}")) {
        Ok(signal) => Ok(signal as i32),
        Err(_) => bail!(
            "signal {text:?}: unknown\nhint: use a number, KILL, SIGKILL or \
             RTMIN+1"
        ),
    }
}

fn in_range(number: i32, text: &str) -> Result<i32> {
    if (1..=libc::SIGRTMAX()).contains(&number) {
        return Ok(number);
    }
    bail!("signal {text:?}: not between 1 and {}", libc::SIGRTMAX())
}

/// `RTMIN`, `RTMIN+n`, `RTMAX`, `RTMAX-n`; `None` if it is something else.
fn real_time(name: &str) -> Option<Result<i32>> {
    let (base, sign, rest) =
        match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
            (Some(rest), _) => (libc::SIGRTMIN(), '+', rest),
            (None, Some(rest)) => (libc::SIGRTMAX(), '-', rest),
            (None, None) => return None,
        };
    if rest.is_empty() {
        return Some(Ok(base));
    }
    let offset =
        rest.strip_prefix(sign).unwrap_or("").parse::<u8>().map(i32::from);
    let number = offset
        .map(|offset| if sign == '+' { base + offset } else { base - offset });
    Some(number.context("after RTMIN comes +n, after RTMAX -n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_signal_gives_its_number() {
        for (text, number) in [
            ("15", 15),
            ("TERM", 15),
            ("SIGTERM", 15),
            ("sigkill", 9),
            ("RTMIN", libc::SIGRTMIN()),
            ("RTMIN+3", libc::SIGRTMIN() + 3),
            ("SIGRTMAX-1", libc::SIGRTMAX() - 1),
        ] {
            assert_eq!(parse(text).unwrap(), number, "{text}");
        }
    }

    #[test]
    fn a_signal_that_does_not_exist_is_refused() {
        for text in
            ["", "0", "-1", "65", "BAHS", "RTMIN-1", "RTMIN+x", "RTMIN+99"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
