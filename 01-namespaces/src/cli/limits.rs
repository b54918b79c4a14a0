//! Options of isolate(1) that limit what the command may use, and how sizes and
//! counts are read.

use anyhow::{Result, anyhow, bail};
use clap::Args;
use namespaces::cgroup::{Limit, Limits};

/// How much the command may use; any of these makes a cgroup.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitOptions {
    /// Memory limit in bytes, or with K, M, G
    #[arg(long, value_name = "SIZE", value_parser = size)]
    #[arg(allow_hyphen_values = true)]
    memory: Option<u64>,
    /// Limit of processes and threads
    #[arg(long, value_name = "N", value_parser = count)]
    #[arg(allow_hyphen_values = true)]
    pids: Option<u64>,
}

impl LimitOptions {
    /// Gives the limits, if any was asked for.
    pub(crate) fn limits(&self) -> Option<Limits> {
        let memory = self.memory.map(Limit::At);
        let pids = self.pids.map(Limit::At);
        let limits = Limits { memory, pids, ..Limits::default() };
        (limits != Limits::default()).then_some(limits)
    }
}

/// Reads a size: a number, and K, M or G for powers of 1024.
fn size(text: &str) -> Result<u64> {
    let (number, shift) = match text.char_indices().next_back() {
        Some((at, 'K' | 'k')) => (&text[..at], 10),
        Some((at, 'M' | 'm')) => (&text[..at], 20),
        Some((at, 'G' | 'g')) => (&text[..at], 30),
        _ => (text, 0),
    };
    let size = count(number)?.checked_mul(1 << shift);
    size.ok_or_else(|| anyhow!("too large"))
}

/// Reads a number above 0: a limit of nothing lets nothing run.
fn count(text: &str) -> Result<u64> {
    // Not `parse` alone: it takes a `+`.
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        bail!("not a number above 0");
    }
    match text.parse() {
        Ok(0) => bail!("not a number above 0"),
        Ok(number) => Ok(number),
        Err(_) => bail!("too large"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_count_in_powers_of_1024() {
        assert_eq!(size("64M").unwrap(), 67_108_864);
        assert_eq!(size("1").unwrap(), 1);
    }

    #[test]
    fn a_size_that_is_no_amount_is_refused() {
        for bad in
            ["", "0", "0M", "-1", "+1", "1.5M", "M", "1T", "99999999999G", "é"]
        {
            assert!(size(bad).is_err(), "{bad:?}");
        }
    }
}
