//! Capabilities: root's power in 41 pieces, and the five sets of them that a
//! process carries. The kernel knows them by number; we add the names.

mod names;

use crate::error::{InCall, Result};
use nix::errno::Errno;
use rustix::thread::{self, CapabilitySet, CapabilitySets};

/// A set of capabilities: bit n is capability number n.
///
/// Source: capabilities(7)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities(pub u64);

impl Capabilities {
    /// All that we have a name for; a newer kernel may have more.
    pub const KNOWN: Self = Self((1 << names::NAMES.len()) - 1);

    /// Tells whether a capability is in the set.
    pub fn contains(self, capability: u32) -> bool {
        self.0 >> capability & 1 == 1
    }

    /// Gives what is in both.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Goes through the numbers in the set.
    pub fn iter(self) -> impl Iterator<Item = u32> {
        (0..u64::BITS).filter(move |capability| self.contains(*capability))
    }
}

/// One capability as the system calls take it.
fn one(capability: u32) -> CapabilitySet {
    CapabilitySet::from_bits_retain(1 << capability)
}

/// Reads the calling thread's bounding set: what it could ever gain by
/// execve(2).
///
/// # Errors
/// None known: the kernel's last capability is found by its EINVAL.
///
/// Source: PR_CAPBSET_READ(2const), Linux 2.6.25 (2008-04)
pub fn bounding() -> Result<Capabilities> {
    let mut set = Capabilities::default();
    for capability in 0..u64::BITS {
        let answer = thread::capability_is_in_bounding_set(one(capability));
        match answer.map_err(errno) {
            Ok(is_in) => set.0 |= u64::from(is_in) << capability,
            Err(Errno::EINVAL) => break,
            Err(errno) => {
                return Err(errno).in_call(|| {
                    format!("prctl(PR_CAPBSET_READ, {capability})")
                });
            }
        }
    }
    Ok(set)
}

/// Takes everything out of the bounding set that is not in `keep`. There is no
/// way back.
///
/// # Errors
/// EPERM: no CAP_SETPCAP.
///
/// Source: PR_CAPBSET_DROP(2const)
pub fn limit_bounding(keep: Capabilities) -> Result<()> {
    let drop = Capabilities(bounding()?.0 & !keep.0);
    for capability in drop.iter() {
        thread::remove_capability_from_bounding_set(one(capability))
            .map_err(errno)
            .in_call(|| format!("prctl(PR_CAPBSET_DROP, {capability})"))?;
    }
    Ok(())
}

/// Sets the effective, permitted and inheritable sets.
///
/// # Errors
/// EPERM: more than is permitted now.
///
/// Source: capset(2)
pub fn capset(
    effective: Capabilities,
    permitted: Capabilities,
    inheritable: Capabilities,
) -> Result<()> {
    let set = |set: Capabilities| CapabilitySet::from_bits_retain(set.0);
    let sets = CapabilitySets {
        effective: set(effective),
        permitted: set(permitted),
        inheritable: set(inheritable),
    };
    thread::set_capabilities(None, sets).map_err(errno).in_call(|| {
        let (e, p, i) = (effective.0, permitted.0, inheritable.0);
        format!(
            "capset({{effective={e:#x}, permitted={p:#x}, \
             inheritable={i:#x}}})"
        )
    })
}

/// Sets the ambient set: what a program without file capabilities keeps over
/// execve(2) when its user is not root.
///
/// # Errors
/// EPERM: a capability that is not both permitted and inheritable.
///
/// Source: PR_CAP_AMBIENT(2const), Linux 4.3 (2015-11)
pub fn set_ambient(ambient: Capabilities) -> Result<()> {
    let call = |what: &str| format!("prctl(PR_CAP_AMBIENT, {what})");
    thread::clear_ambient_capability_set()
        .map_err(errno)
        .in_call(|| call("PR_CAP_AMBIENT_CLEAR_ALL"))?;
    for capability in ambient.iter() {
        thread::configure_capability_in_ambient_set(one(capability), true)
            .map_err(errno)
            .in_call(|| call(&format!("PR_CAP_AMBIENT_RAISE, {capability}")))?;
    }
    Ok(())
}

fn errno(errno: rustix::io::Errno) -> Errno {
    Errno::from_raw(errno.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_a_bit_for_each_number() {
        let set = Capabilities(0b1010);
        assert_eq!(set.iter().collect::<Vec<_>>(), [1, 3]);
        assert_eq!(set.and(Capabilities(0b0010)), Capabilities(0b0010));
    }

    #[test]
    fn the_bounding_set_is_what_proc_shows() {
        let status =
            std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("CapBnd:"))
            .unwrap();
        assert_eq!(
            bounding().unwrap().0,
            u64::from_str_radix(line.trim(), 16).unwrap()
        );
    }
}
