//! One container as the host sees it: a state directory and, perhaps, an init
//! process. The status is observed each time it is asked for; a status that is
//! only remembered is wrong after a crash.

use crate::cgroups::Place;
use crate::id::Id;
use crate::removal;
use crate::state::{Init, State};
use anyhow::{Context, Result, bail, ensure};
use namespaces::InCall;
use namespaces::process::pidfd_open;
use namespaces::root::{Root, path_of, status};
use nix::errno::Errno;
use nix::fcntl::Flock;
use nix::unistd::Pid;
use std::cell::RefCell;
use std::fmt;
use std::fs::{self, DirBuilder, File};
use std::io::ErrorKind;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// A container's state directory, and what `state.json` in it says.
#[derive(Debug)]
pub(crate) struct Container {
    /// `ROOT/ID`.
    pub(crate) dir: PathBuf,
    /// Absent while `create` has only made the directory.
    pub(crate) state: Option<State>,
    /// For `create`, which may find its directory deleted, and another
    /// container's in its place.
    made: RefCell<Option<Root>>,
}

/// A container's place in its life.
///
/// Source: runtime-spec: runtime.md, "State"
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// `create` is at work, or was killed at work.
    Creating,
    /// Init waits for `start`.
    Created,
    /// The user's program runs.
    Running,
    /// Its processes are held still.
    Paused,
    /// Init has ended, reaped or not.
    Stopped,
}

/// How far the FIFO has come that init waits on: renamed when init is ready,
/// gone when `start` was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fifo {
    Unready,
    Waiting,
    Gone,
}

impl Container {
    /// Makes the state directory. The directory is the lock: of two creates
    /// with one id, one gets EEXIST.
    pub(crate) fn create(root: &Path, id: &Id) -> Result<Self> {
        let mut private = DirBuilder::new();
        private.mode(0o700);
        private
            .recursive(true)
            .create(root)
            .in_call(|| format!("mkdir({root:?})"))
            .context("--root")?;
        let dir = root.join(id.as_str());
        match private.recursive(false).create(&dir) {
            Ok(()) => {
                let made = RefCell::new(Some(Root::open(&dir)?));
                Ok(Self { dir, state: None, made })
            }
            Err(cause) if cause.kind() == ErrorKind::AlreadyExists => bail!(
                "container {:?} already exists\nhint: `imageless delete \
                 {id}`, or choose another id",
                id.as_str()
            ),
            Err(cause) => Ok(Err(cause).in_call(|| format!("mkdir({dir:?})"))?),
        }
    }

    /// Finds a container by its id.
    pub(crate) fn find(root: &Path, id: &Id) -> Result<Option<Self>> {
        let dir = root.join(id.as_str());
        if !dir.is_dir() {
            return Ok(None);
        }
        let state = State::load(&dir)?;
        Ok(Some(Self { dir, state, made: RefCell::default() }))
    }

    /// Finds a container that has to be there.
    ///
    /// # Errors
    /// "does not exist", in the words that containerd looks for.
    pub(crate) fn open(root: &Path, id: &Id) -> Result<Self> {
        Self::find(root, id)?.with_context(|| {
            format!("container {:?} does not exist", id.as_str())
        })
    }

    /// The container's id: the name of its directory.
    pub(crate) fn id(&self) -> &str {
        self.dir
            .file_name()
            .and_then(|name| name.to_str())
            .expect("the directory is named by an Id")
    }

    /// Writes the state for the first time.
    pub(crate) fn save(&mut self, state: State) -> Result<()> {
        let (place, _held) = self.hold()?;
        self.state.insert(state).save(&place)
    }

    /// Notes which process is init.
    pub(crate) fn save_init(&mut self, init: Init) -> Result<()> {
        let (place, _held) = self.hold()?;
        let state =
            self.state.as_mut().expect("`save` comes before there is an init");
        state.init = Some(init);
        state.save(&place)
    }

    /// The directory by its handle if we have made it: its path could lead to
    /// another container's by now, and what is written there would be its.
    fn place(&self) -> PathBuf {
        let made = self.made.borrow();
        let made = made.as_ref();
        made.map_or_else(|| self.dir.clone(), |made| path_of(made.as_fd()))
    }

    /// Keeps others from removing it, while something is noted of which they have
    /// to know; see `removal.rs`.
    fn hold(&self) -> Result<(PathBuf, Flock<File>)> {
        let place = self.place();
        let dir = File::open(&place).in_call(|| format!("open({place:?})"))?;
        let held = removal::hold(dir)?;
        ensure!(self.is_still_ours(), "its state directory was removed");
        Ok((place, held))
    }

    /// Closes that handle: for init, which needs no directory of the host.
    pub(crate) fn let_go_of_place(&self) {
        drop(self.made.take());
    }

    /// Tells whether the directory that we have made is still there.
    pub(crate) fn is_still_ours(&self) -> bool {
        let made = self.made.borrow();
        let status = made.as_ref().map(|made| status(made.as_fd()));
        matches!(status, Some(Ok(status)) if status.st_nlink > 0)
    }

    /// Looks at the kernel and the state directory, and says where the
    /// container is in its life.
    // ANCHOR: status
    pub(crate) fn status(&self) -> Status {
        let Some(init) = self.init() else { return Status::Creating };
        let fifo = if self.fifo().exists() {
            Fifo::Waiting
        } else if self.unready_fifo().exists() {
            Fifo::Unready
        } else {
            Fifo::Gone
        };
        match (init.is_alive(), fifo) {
            (false, _) => Status::Stopped,
            (true, Fifo::Unready) => Status::Creating,
            (true, Fifo::Waiting | Fifo::Gone) if self.is_frozen() => {
                Status::Paused
            }
            (true, Fifo::Waiting) => Status::Created,
            (true, Fifo::Gone) => Status::Running,
        }
    }
    // ANCHOR_END: status

    /// The container's first process, once `create` has made it. It may have
    /// ended since.
    pub(crate) fn init(&self) -> Option<Init> {
        self.state.as_ref().and_then(|state| state.init)
    }

    fn is_frozen(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.cgroup.is_frozen())
    }

    /// The cgroup of a container that has got that far.
    pub(crate) fn cgroup(&self) -> Result<&Place> {
        let state = self.state.as_ref().context("container not running")?;
        Ok(&state.cgroup)
    }

    /// Opens a handle on init; `None` if it has ended. The handle first, then
    /// the look at the start time: in the other order the pid could be given to
    /// somebody else in between.
    pub(crate) fn init_handle(&self) -> Result<Option<OwnedFd>> {
        let Some(init) = self.init() else { return Ok(None) };
        match pidfd_open(Pid::from_raw(init.pid)) {
            Err(error) if error.errno == Errno::ESRCH => Ok(None),
            handle => Ok(Some(handle?).filter(|_| init.is_alive())),
        }
    }

    /// The FIFO on which init waits for `start`.
    pub(crate) fn fifo(&self) -> PathBuf {
        self.place().join("exec.fifo")
    }

    /// The FIFO's name before init is ready.
    pub(crate) fn unready_fifo(&self) -> PathBuf {
        self.place().join("exec.fifo.unready")
    }

    /// The FIFO on which `start` hears from init; see `outcome.rs`.
    pub(crate) fn outcome_fifo(&self) -> PathBuf {
        self.place().join("outcome.fifo")
    }

    /// Reads it once more from its directory, of which the caller has a handle.
    /// `None`: the path leads elsewhere by now, or to another container.
    pub(crate) fn look_again(&self, dir: &File) -> Result<Option<Self>> {
        let held = dir.metadata().in_call(|| "fstat(..)".into())?.ino();
        let there = fs::metadata(&self.dir).is_ok_and(|it| it.ino() == held);
        let made = self.made.borrow();
        let made = made.as_ref().map(|made| status(made.as_fd()));
        let is_made = match made {
            Some(made) => made?.st_ino == held,
            None => true,
        };
        if !there || !is_made {
            return Ok(None);
        }
        let state = State::load(&self.dir)?;
        let is_this = match (&state, &self.state) {
            (Some(now), Some(then)) => now.created == then.created,
            (None, _) | (_, None) => true,
        };
        let (dir, made) = (self.dir.clone(), RefCell::default());
        Ok(is_this.then_some(Self { dir, state, made }))
    }

    /// Removes the state directory: the id is free again. Only for who has the
    /// right to, see `removal.rs`.
    pub(crate) fn remove(&self) -> Result<()> {
        let removed = fs::remove_dir_all(&self.dir);
        Ok(removed.in_call(|| format!("unlink({:?})", self.dir))?)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Creating => "creating",
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        })
    }
}
