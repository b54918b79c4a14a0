//! Which process is meant: a pid, and when that process was born. The kernel gives
//! a pid to another one later; never both.

use crate::state::Init;
use anyhow::{Context, Result};
use namespaces::kernel_file;

impl Init {
    /// Notes which process has this pid now; its parent must not have reaped
    /// it.
    pub(crate) fn of(pid: i32) -> Result<Self> {
        let stat = stat(pid)?;
        let (_, start_time) =
            parse_stat(&stat).context("/proc/PID/stat: fields are missing")?;
        Ok(Self { pid, start_time })
    }

    /// Tells whether this very process still runs. A zombie has ended.
    pub(crate) fn is_alive(self) -> bool {
        let Ok(stat) = stat(self.pid) else { return false };
        parse_stat(&stat).is_some_and(|(process_state, start_time)| {
            start_time == self.start_time && !matches!(process_state, 'Z' | 'X')
        })
    }
}

fn stat(pid: i32) -> namespaces::Result<Vec<u8>> {
    kernel_file::read(format!("/proc/{pid}/stat").as_ref())
}

/// Takes the state (field 3) and the start time (field 22) out of
/// `/proc/PID/stat`. Field 2, the command, is in parentheses. The process
/// chooses it, and any bytes will do; the last parenthesis closes it.
///
/// Source: proc_pid_stat(5), PR_SET_NAME(2const)
fn parse_stat(stat: &[u8]) -> Option<(char, u64)> {
    let stat = String::from_utf8_lossy(stat);
    let (_, after_command) = stat.rsplit_once(')')?;
    let mut fields = after_command.split_ascii_whitespace();
    let process_state = fields.next()?.chars().next()?;
    let start_time = fields.nth(18)?.parse().ok()?;
    Some((process_state, start_time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_with_parentheses_and_spaces_does_not_shift_the_fields() {
        let stat =
            b"7 (a) Z (\xff) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 12345 0 0";
        assert_eq!(parse_stat(stat), Some(('S', 12345)));
    }

    #[test]
    fn a_process_with_another_start_time_is_another_process() {
        let this = Init::of(std::process::id() as i32).unwrap();
        assert!(this.is_alive());
        assert!(!Init { start_time: this.start_time + 1, ..this }.is_alive());
    }
}
