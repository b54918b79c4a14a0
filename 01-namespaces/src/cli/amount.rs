//! How amounts are read from a command line: sizes, counts, processors, disks.
//! What is no amount is refused here, before anything was done.

use anyhow::{Context, Result, anyhow, bail};
use namespaces::cgroup::{CpuQuota, Disk, IoLimit, Limit, NumberList};
use nix::sys::stat::{SFlag, major, minor, stat};
use std::fs;

/// Reads a size of memory. More than there is would be no limit.
pub(super) fn memory(text: &str) -> Result<u64> {
    let (size, there) = (size(text)?, memory_of_the_machine()?);
    if size > there {
        bail!("the machine has {}M", there >> 20);
    }
    Ok(size)
}

/// Reads the first line of proc_meminfo(5): `MemTotal: 8052192 kB`.
fn memory_of_the_machine() -> Result<u64> {
    const FILE: &str = "/proc/meminfo";
    let text = fs::read_to_string(FILE).context(FILE)?;
    let kibibytes = text.split_whitespace().nth(1).context(FILE)?;
    Ok(kibibytes.parse::<u64>().context(FILE)? << 10)
}

/// Reads a size above 0: a number, and K, M or G for powers of 1024.
fn size(text: &str) -> Result<u64> {
    match size_or_zero(text)? {
        0 => bail!("not a number above 0"),
        size => Ok(size),
    }
}

/// Reads a size; for some things, none at all is a limit that makes sense.
pub(super) fn size_or_zero(text: &str) -> Result<u64> {
    let (number, shift) = match text.char_indices().next_back() {
        Some((at, 'K' | 'k')) => (&text[..at], 10),
        Some((at, 'M' | 'm')) => (&text[..at], 20),
        Some((at, 'G' | 'g')) => (&text[..at], 30),
        _ => (text, 0),
    };
    if !is_digits(number) {
        bail!("not a size: bytes, or a number with K, M or G");
    }
    let size = digits(number)?.checked_mul(1 << shift);
    size.ok_or_else(|| anyhow!("too large"))
}

/// Reads a number above 0: a limit of nothing lets nothing run.
pub(super) fn count(text: &str) -> Result<u64> {
    match digits(text)? {
        0 => bail!("not a number above 0"),
        number => Ok(number),
    }
}

fn digits(text: &str) -> Result<u64> {
    // Not `parse` alone: it takes a `+`.
    if !is_digits(text) {
        bail!("not a number");
    }
    text.parse().map_err(|_| anyhow!("too large"))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads a share of the processor.
pub(super) fn weight(text: &str) -> Result<u64> {
    match digits(text)? {
        weight @ 1..=10_000 => Ok(weight),
        _ => bail!("cpu.weight accepts 1 to 10000"),
    }
}

/// Reads processors, such as `1.5`, as a quota of the kernel's usual period.
pub(super) fn processors(text: &str) -> Result<CpuQuota> {
    const PERIOD: u64 = 100_000;
    let there = std::thread::available_parallelism().map_or(1, usize::from);
    let number: f64 = text.parse().unwrap_or(f64::NAN);
    if !(0.01..=there as f64).contains(&number) {
        bail!("cpu.max accepts 0.01 to {there}, the processors there are");
    }
    let quota = Limit::At((number * PERIOD as f64).round() as u64);
    Ok(CpuQuota { quota, period: PERIOD })
}

/// Reads a set of processors. What the machine has, the library looks up.
pub(super) fn list(text: &str) -> Result<NumberList> {
    let list: NumberList = text.parse()?;
    if list.is_empty() {
        bail!("not a list such as 0-3,7");
    }
    Ok(list)
}

/// Reads the limits of a disk as io.max of cgroup v2 is written, but for the
/// colon: `/dev/vda:rbps=1M,wiops=100` or `254:0:rbps=1M`.
pub(super) fn io_max(text: &str) -> Result<IoLimit> {
    const SHAPE: &str = "not DISK:rbps=N,wbps=N,riops=N,wiops=N";
    let (name, numbers) = text.rsplit_once(':').context(SHAPE)?;
    let mut io = IoLimit { disk: disk(name)?, ..IoLimit::default() };
    for number in numbers.split(',') {
        let (key, value) = number.split_once('=').context(SHAPE)?;
        let field = match key {
            "rbps" => &mut io.read_bytes,
            "wbps" => &mut io.write_bytes,
            "riops" => &mut io.reads,
            "wiops" => &mut io.writes,
            _ => bail!(SHAPE),
        };
        *field = Some(match value {
            "max" => Limit::Max,
            value => Limit::At(size(value)?),
        });
    }
    Ok(io)
}

fn disk(name: &str) -> Result<Disk> {
    if let Some((major, minor)) = name.split_once(':') {
        let (major, minor) = (digits(major)?, digits(minor)?);
        return Ok(Disk { major, minor });
    }
    let stat =
        stat(name).map_err(|errno| anyhow!("stat({name:?}): {errno}"))?;
    let kind = SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT;
    if kind != SFlag::S_IFBLK {
        bail!("{name} is not a block device");
    }
    Ok(Disk { major: major(stat.st_rdev), minor: minor(stat.st_rdev) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_count_in_powers_of_1024() {
        assert_eq!(size("64M").unwrap(), 67_108_864);
        assert_eq!(size("1").unwrap(), 1);
        assert_eq!(size_or_zero("0").unwrap(), 0);
    }

    #[test]
    fn a_size_that_is_no_amount_is_refused() {
        for bad in
            ["", "0", "0M", "-1", "+1", "1.5M", "M", "1T", "99999999999G", "é"]
        {
            assert!(size(bad).is_err(), "{bad:?}");
        }
        let said = size("64MiB").unwrap_err().to_string();
        assert!(said.contains("with K, M or G"), "{said}");
    }

    #[test]
    fn a_part_of_a_processor_is_a_part_of_the_period() {
        let quota = |text| processors(text).unwrap().quota;
        assert_eq!(quota("0.5"), Limit::At(50_000));
        assert_eq!(quota("1"), Limit::At(100_000));
        for bad in ["0", "-1", "0.001", "1e9", "many", "", "nan", "inf"] {
            assert!(processors(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_disk_is_a_device_or_its_number() {
        let io = io_max("254:0:rbps=1M,wiops=max").unwrap();
        assert_eq!(io.to_string(), "254:0 rbps=1048576 wiops=max");
        for bad in ["254:0", "254:0:", "254:0:bps=1", "/dev/null:rbps=1", ":"] {
            assert!(io_max(bad).is_err(), "{bad:?}");
        }
    }
}
