//! The exit file: how the container ended, once and for good. Nobody else can
//! tell, because only the parent of a process learns its exit status. So its
//! place is reserved before the container exists: a full disk or a directory
//! that is not writable then fails the create, instead of losing the status of
//! a container that has run for weeks.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use namespaces::InCall;
use namespaces::process::ExitStatus;
use serde::Serialize;

/// Bytes reserved; the longest record has 88.
const RESERVED: usize = 128;

const TIME: DateTimePrinter = DateTimePrinter::new().precision(Some(9));

/// What the exit file says, in this order.
#[derive(Debug, Serialize)]
pub(crate) struct Record {
    code: i32,
    reason: Reason,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<i32>,
    finished_at: String,
}

/// Why the process ended: 137 alone can be `exit 137` or SIGKILL.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Reason {
    Exited,
    Signaled,
}

impl Record {
    /// Describes a container process that has ended this way, now.
    pub(crate) fn new(status: ExitStatus) -> Self {
        let (reason, signal) = match status {
            ExitStatus::Exited(_) => (Reason::Exited, None),
            ExitStatus::Signaled(signal) => (Reason::Signaled, Some(signal)),
        };
        let finished_at = TIME.timestamp_to_string(&Timestamp::now());
        Self { code: status.code(), reason, signal, finished_at }
    }
}

/// The place for the exit file: a temporary file beside it, its block already
/// written. Removed when not used.
#[derive(Debug)]
pub(crate) struct ExitFile {
    path: PathBuf,
    reserved: PathBuf,
    file: File,
    renamed: bool,
}

impl ExitFile {
    /// Reserves the place.
    ///
    /// # Errors
    /// The exit file exists: it is the truth about another container. ENOSPC,
    /// EACCES, ENOENT: it could not be written later.
    pub(crate) fn reserve(path: &Path) -> Result<Self> {
        if path.try_exists().in_call(|| format!("stat({path:?})"))? {
            bail!(
                "{path:?} exists: it tells how another container \
                 ended\nhint: give each container its own"
            );
        }
        let name = path
            .file_name()
            .with_context(|| format!("{path:?} names no file"))?;
        let reserved = path.with_file_name(format!(".{}.tmp", name.display()));
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&reserved);
        let mut file =
            file.in_call(|| format!("open({reserved:?}, O_WRONLY | O_CREAT)"))?;
        let place = Self {
            path: path.to_owned(),
            reserved,
            file: file.try_clone()?,
            renamed: false,
        };
        file.write_all(&[b' '; RESERVED])
            .in_call(|| format!("write({:?})", place.reserved))?;
        Ok(place)
    }

    /// Puts the record in its place: written and synced under the temporary
    /// name, renamed, directory synced.
    ///
    /// A reader finds no file or all of it, also after a loss of power.
    ///
    /// # Errors
    /// ENOENT: the directory was removed. EIO, EROFS: the disk has failed.
    ///
    /// Source: fsync(2), rename(2)
    // ANCHOR: commit
    pub(crate) fn commit(mut self, record: &Record) -> Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        let (file, reserved) = (&self.file, &self.reserved);
        file.write_all_at(&line, 0)
            .in_call(|| format!("pwrite({reserved:?})"))?;
        file.set_len(line.len() as u64)
            .in_call(|| format!("ftruncate({reserved:?})"))?;
        file.sync_all().in_call(|| format!("fsync({reserved:?})"))?;
        fs::rename(reserved, &self.path)
            .in_call(|| format!("rename(.., {:?})", self.path))?;
        self.renamed = true;
        let directory = self
            .path
            .parent()
            .context("an absolute path of a file has a parent")?;
        let synced =
            File::open(directory).and_then(|directory| directory.sync_all());
        Ok(synced.in_call(|| format!("fsync({directory:?})"))?)
    }
    // ANCHOR_END: commit
}

impl Drop for ExitFile {
    fn drop(&mut self) {
        // Once renamed, the temporary name is free, and may already be that of
        // the next shim with this exit file.
        if !self.renamed {
            // A failure leaves 128 blanks that the next shim overwrites.
            let _ = fs::remove_file(&self.reserved);
        }
    }
}

/// Says in the kernel's log what could not be said where it belongs. The last
/// means: no stderr, and perhaps no disk.
pub(crate) fn write_kmsg(cid: &str, what: &str) {
    // Where /dev/kmsg cannot be written either, there is nobody left to tell.
    // One write(2) is one message.
    let line = format!("<3>conman-shim: {cid}: {}\n", what.replace('\n', "; "));
    let _ = OpenOptions::new()
        .write(true)
        .open("/dev/kmsg")
        .and_then(|mut log| log.write_all(line.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_record_fits_into_what_is_reserved() {
        let record =
            serde_json::to_vec(&Record::new(ExitStatus::Signaled(64))).unwrap();
        assert!(
            record.len() < RESERVED,
            "{}",
            String::from_utf8_lossy(&record)
        );
    }

    #[test]
    fn exit_137_and_sigkill_can_be_told_apart() {
        let json = |status| serde_json::to_value(Record::new(status)).unwrap();
        let (exited, killed) =
            (json(ExitStatus::Exited(137)), json(ExitStatus::Signaled(9)));
        assert_eq!(
            (&exited["code"], &killed["code"]),
            (&137.into(), &137.into())
        );
        assert_eq!(
            (&exited["reason"], &killed["reason"]),
            (&"exited".into(), &"signaled".into())
        );
    }
}
