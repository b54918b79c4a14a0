//! A limit for a process whose tracer waits for events and cannot look at the
//! clock: when the time is over, the process is killed, and that is an event.

use rustix::process::{Signal, pidfd_send_signal};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// Kills the process unless this value is dropped in time.
pub(super) struct Watchdog {
    /// The other end hears of its end.
    _over: Sender<()>,
}

impl Watchdog {
    /// Lets the process have so much time.
    pub(super) fn over(process: OwnedFd, limit: Duration) -> Watchdog {
        let (sender, over) = channel();
        thread::spawn(move || {
            if over.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                // It may have ended at the last moment.
                let _ = pidfd_send_signal(&process, Signal::KILL);
            }
        });
        Watchdog { _over: sender }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command};

    fn endless() -> (Child, OwnedFd) {
        let child = Command::new("sleep").arg("1000").spawn().unwrap();
        let handle = pidfd_open(Pid::from_child(&child), PidfdFlags::empty());
        (child, handle.unwrap())
    }

    #[test]
    fn who_takes_too_long_is_killed() {
        let (mut child, handle) = endless();
        let _watchdog = Watchdog::over(handle, Duration::from_millis(1));
        assert_eq!(child.wait().unwrap().signal(), Some(9));
    }

    #[test]
    fn who_ended_in_time_is_left_alone() {
        let (mut child, handle) = endless();
        drop(Watchdog::over(handle, Duration::from_secs(1000)));
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
