//! A gate between a process and the child it makes: the child waits at it until
//! the parent has done for it what only a parent can (id maps, cgroup).

use crate::error::{InCall, Result};
use nix::errno::Errno;
use std::cell::RefCell;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};

/// Holds a child back. Made before [`spawn`](super::spawn); after it, both
/// processes have a copy: the child calls [`Gate::wait`], the parent
/// [`Gate::open`]. Dropping the parent's copy closes the gate for ever.
///
/// Source: pipe(2), user_namespaces(7), "EXAMPLES"
#[derive(Debug)]
pub struct Gate {
    reader: PipeReader,
    writer: RefCell<Option<PipeWriter>>,
}

impl Gate {
    /// Makes a closed gate.
    ///
    /// # Errors
    /// EMFILE: no descriptor left.
    ///
    /// Source: pipe(2)
    pub fn new() -> Result<Self> {
        let (reader, writer) = pipe().in_call(|| "pipe2(O_CLOEXEC)".into())?;
        Ok(Self { reader, writer: RefCell::new(Some(writer)) })
    }

    /// Waits until the gate is open. Runs in the child.
    ///
    /// # Errors
    /// EPIPE: the parent gave up, or has died.
    ///
    /// Source: pipe(7), "I/O on pipes and FIFOs"
    pub fn wait(&self) -> Result<()> {
        // Our own copy of the writing end would keep the end-of-file from us.
        drop(self.writer.take());
        let count =
            (&self.reader).read(&mut [0]).in_call(|| "read(gate)".into())?;
        let go = if count == 1 { Ok(()) } else { Err(Errno::EPIPE) };
        go.in_call(|| "read(gate)".into())
    }

    /// Lets the child go on. Runs in the parent; a second time does nothing.
    ///
    /// # Errors
    /// EPIPE: cannot happen, since we hold a reading end too. A child that has
    /// died meanwhile is told by its handle.
    ///
    /// Source: pipe(7), "I/O on pipes and FIFOs"
    pub fn open(&self) -> Result<()> {
        let Some(mut writer) = self.writer.take() else { return Ok(()) };
        writer.write_all(&[1]).in_call(|| "write(gate)".into())
    }
}
