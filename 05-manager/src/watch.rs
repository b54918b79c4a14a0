//! Watches one container until its process has ended: look, tell what is true,
//! wait for the next pidfd to fire, look again. All requests about states read
//! what this task last told; none of them waits for a runtime.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use jiff::Timestamp;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use runc_naive::{Runtime, Status};
use rustix::process::Pid;

use crate::container::{Container, Phase, Process, Record};
use crate::cri::ContainerEventType;
use crate::error::{Error, Result};
use crate::exit::{self, Exit, ExitReason};
use crate::liveness;
use crate::manager::Manager;
use crate::ready::readable;

/// What a look found, and the descriptor that fires when it stops being true.
pub(crate) struct Observed {
    pub(crate) process: Process,
    pidfd: Option<OwnedFd>,
}

impl Manager {
    /// Looks what has become of a container's process: exit file, then the
    /// shim's lock, then the runtime.
    ///
    /// Source: 04-shim/PROTOCOL.md, "Liveness"
    pub(crate) async fn observe(&self, record: &Record) -> Observed {
        self.look(record).await.unwrap_or_else(|error| Observed {
            process: Process::Unknown(error.to_string()),
            pidfd: None,
        })
    }

    /// Starts the task that follows a container from here on.
    pub(crate) fn follow(
        self: &Arc<Self>,
        container: &Arc<Container>,
        seen: Observed,
    ) {
        let (manager, container) = (Arc::clone(self), Arc::clone(container));
        // ANCHOR: follow
        tokio::spawn(async move {
            let mut pidfd = seen.pidfd;
            while let Some(fires) = pidfd {
                let seen = manager.next(&container, fires).await;
                manager.observed(&container, seen.process);
                pidfd = seen.pidfd;
            }
        });
        // ANCHOR_END: follow
    }

    /// Waits until what was seen last is true no more, and looks again.
    async fn next(&self, container: &Container, pidfd: OwnedFd) -> Observed {
        match readable(&pidfd).await {
            Ok(()) => self.observe(&container.record()).await,
            Err(error) => Observed {
                process: Process::Unknown(error.to_string()),
                pidfd: None,
            },
        }
    }

    /// Looks anew at a container whose runtime gave no answer the last time.
    pub(crate) async fn look_again(
        self: &Arc<Self>,
        container: &Arc<Container>,
    ) {
        let seen = self.observe(&container.record()).await;
        self.observed(container, seen.process.clone());
        self.follow(container, seen);
    }

    /// Tells what was observed. A stop is told only after the start it belongs
    /// to.
    pub(crate) fn observed(&self, container: &Container, process: Process) {
        self.keep_time_of_loss(container, &process);
        let ended = matches!(process, Process::Ended(_));
        // Under the record's lock, so that `start` sees the end or tells of it,
        // never neither or both.
        let record = container.lock();
        container.observed(process);
        if ended && record.phase != Phase::Starting {
            self.publish(&record, ContainerEventType::ContainerStoppedEvent);
        }
    }

    /// Writes down when an end was noticed that no exit file tells of: after a
    /// restart it is to be the same time.
    pub(crate) fn keep_time_of_loss(
        &self,
        container: &Container,
        process: &Process,
    ) {
        let Process::Ended(Exit {
            reason: ExitReason::Lost, finished_at, ..
        }) = process
        else {
            return;
        };
        // Err: the disk is full. What was observed is true all the same.
        if let Err(error) =
            self.save(container, |record| record.lost_at = Some(*finished_at))
        {
            tracing::warn!("{error}");
        }
    }

    // ANCHOR: look
    async fn look(&self, record: &Record) -> Result<Observed> {
        let exit_file = self.paths.exit_file(&record.id);
        let ended =
            |exit| Ok(Observed { process: Process::Ended(exit), pidfd: None });
        if let Some(exit) = exit::read(&exit_file)? {
            return ended(exit);
        }
        if let Some(pidfd) = liveness::pidfd(&self.paths.shim_pid(&record.id))?
        {
            return Ok(Observed {
                process: Process::Alive,
                pidfd: Some(pidfd),
            });
        }
        // It may have written the exit file and ended between these two looks.
        if let Some(exit) = exit::read(&exit_file)? {
            return ended(exit);
        }
        if let Some(lost_at) = record.lost_at {
            return ended(Exit::lost(lost_at));
        }
        match self.unmonitored(record).await? {
            Some(pidfd) => Ok(Observed {
                process: Process::Unmonitored,
                pidfd: Some(pidfd),
            }),
            None => ended(Exit::lost(Timestamp::now())),
        }
    }
    // ANCHOR_END: look

    /// The shim was killed: opens a pidfd for the container process itself, if
    /// the runtime says that it lives.
    async fn unmonitored(&self, record: &Record) -> Result<Option<OwnedFd>> {
        let state = match self.ask_runtime(record, Runtime::state).await {
            Err(Error::NotFound { .. }) => return Ok(None),
            state => state?,
        };
        let alive = match state.status {
            Status::Creating
            | Status::Created
            | Status::Running
            | Status::Paused => state.pid,
            Status::Stopped => None,
        };
        let Some(pid) = alive.and_then(Pid::from_raw) else { return Ok(None) };
        // A pidfd that is readable already is that of a process which waits to
        // be reaped.
        Ok(liveness::open_pidfd(pid)?.filter(|pidfd| !is_readable(pidfd)))
    }
}

fn is_readable(pidfd: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
    poll(&mut fds, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}
