//! The container's log, in the format that the kubelet reads, one record a
//! line: `TIME STREAM TAG TEXT`. Text is written as it comes, a piece without
//! newline as `P`, so nothing waits in memory for the end of a line, and
//! nothing is lost with the shim. A log that cannot be written must not stop
//! the container: it is drained, and the loss noted.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use jiff::tz::Offset;
use namespaces::{InCall, SyscallError};
use nix::errno::Errno;
use nix::fcntl::OFlag;

/// One of the container's two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Descriptor 1.
    Stdout,
    /// Descriptor 2.
    Stderr,
}

/// Longest text of a record in bytes: containerd's default too, and readers of
/// such logs allocate for it.
const RECORD_LIMIT: usize = 16 * 1024;

/// Bytes collected for one write(2). A megabyte of empty lines would be 46 MB
/// of records if nothing bounded them.
const BATCH_LIMIT: usize = 64 * 1024;

const TIME: DateTimePrinter = DateTimePrinter::new().precision(Some(9));

/// The container's log file. Whole records only: what a full disk has torn is
/// cut off again.
#[derive(Debug)]
pub(crate) struct Log {
    file: File,
    batch: Vec<u8>,
    /// Bytes of the container's text in `batch`.
    pending: usize,
    /// Bytes of the container's text that could not be written, and why; not
    /// yet noted in the log.
    lost: Option<(usize, SyscallError)>,
}

impl Log {
    /// Opens the log to append to it, and creates it with mode 0640.
    ///
    /// # Errors
    /// ENOENT: its directory does not exist. EACCES, EROFS: it cannot be
    /// written. ELOOP: a symlink. EINVAL, ENXIO: not a regular file, such as a
    /// FIFO, whose reader could stop the container by not reading.
    pub(crate) fn open(path: &Path) -> Result<Self, SyscallError> {
        let call = || format!("open({path:?}, O_WRONLY | O_APPEND | O_CREAT)");
        let safely = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o640)
            .custom_flags(safely.bits())
            .open(path)
            .in_call(call)?;
        if !file.metadata().in_call(call)?.is_file() {
            return Err(SyscallError::new(call(), Errno::EINVAL)
                .hint("the log has to be a regular file"));
        }
        Ok(Self { file, batch: Vec::new(), pending: 0, lost: None })
    }

    /// Writes what the container has just written. All records of one call
    /// carry the same time.
    pub(crate) fn append(&mut self, stream: Stream, output: &[u8]) {
        let prefix = format!("{} {} ", now(), stream.name());
        for (tag, text) in records(output) {
            if self.batch.len() + prefix.len() + text.len() > BATCH_LIMIT {
                self.flush();
            }
            self.note_loss();
            push(&mut self.batch, prefix.as_bytes(), (tag, text));
            self.pending += text.len();
        }
        self.flush();
    }

    /// Waits until the disk has everything.
    ///
    /// # Errors
    /// EIO, ENOSPC: it does not. Also if text was lost before, and could not be
    /// noted.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.note_loss();
        self.flush();
        if let Some((lost, why)) = &self.lost {
            return Err(io::Error::other(format!("{lost} bytes lost: {why}")));
        }
        match self.file.sync_all() {
            // EINVAL: the log is no file with a disk below, but a pipe or a
            // device.
            Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
            synced => synced,
        }
    }

    /// Begins a batch with what was lost before it, so that the gap stands in
    /// the log where it is.
    fn note_loss(&mut self) {
        if let (true, Some((lost, why))) = (self.batch.is_empty(), &self.lost) {
            let note = format!("[conman-shim: {lost} bytes lost: {why}]");
            let prefix = format!("{} {} ", now(), Stream::Stderr.name());
            push(
                &mut self.batch,
                prefix.as_bytes(),
                (Tag::Full, note.as_bytes()),
            );
        }
    }

    fn flush(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        match write_whole(&mut self.file, &self.batch) {
            Ok(()) => self.lost = None,
            Err(error) => {
                let before = self.lost.as_ref().map_or(0, |(bytes, _)| *bytes);
                self.lost = Some((before + self.pending, error));
            }
        }
        self.pending = 0;
        self.batch.clear();
    }
}

impl Stream {
    fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    /// The text ends a line.
    Full,
    /// The line goes on in the stream's next record.
    Partial,
}

// ANCHOR: records
/// Cuts output into the texts of records, without their newlines.
fn records(output: &[u8]) -> impl Iterator<Item = (Tag, &[u8])> {
    output.split_inclusive(|byte| *byte == b'\n').flat_map(|line| {
        let (text, end) = match line.strip_suffix(b"\n") {
            Some(text) => (text, Tag::Full),
            None => (line, Tag::Partial),
        };
        // An empty line has no piece, and needs a record all the same: the last
        // piece, and only that, may be empty.
        let last = text.len().saturating_sub(1) / RECORD_LIMIT * RECORD_LIMIT;
        let whole = text[..last]
            .chunks(RECORD_LIMIT)
            .map(|piece| (Tag::Partial, piece));
        whole.chain([(end, &text[last..])])
    })
}
// ANCHOR_END: records

fn push(batch: &mut Vec<u8>, prefix: &[u8], (tag, text): (Tag, &[u8])) {
    let tag: &[u8] = match tag {
        Tag::Full => b"F ",
        Tag::Partial => b"P ",
    };
    for part in [prefix, tag, text, b"\n"] {
        batch.extend_from_slice(part);
    }
}

/// Writes with one call, or not at all: a record that was cut short is taken
/// back.
fn write_whole(file: &mut File, batch: &[u8]) -> Result<(), SyscallError> {
    let written = file.write(batch).in_call(|| "write(log)".into())?;
    if written < batch.len() {
        // Only this process appends. If that fails too, the log has one torn
        // record, which readers skip.
        let _ = file
            .metadata()
            .and_then(|meta| file.set_len(meta.len() - written as u64));
        // A file takes less than all only if the disk, the quota or the limit
        // of size has no room for the rest.
        return Err(SyscallError::new("write(log)", Errno::ENOSPC));
    }
    Ok(())
}

fn now() -> String {
    let mut text = String::with_capacity(36);
    let printed = TIME.print_timestamp_with_offset(
        &Timestamp::now(),
        Offset::UTC,
        &mut text,
    );
    printed.expect("writing to a String cannot fail");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(output: &[u8]) -> Vec<(Tag, &[u8])> {
        records(output).collect()
    }

    #[test]
    fn a_line_without_its_newline_is_partial() {
        assert_eq!(
            cut(b"a\nb"),
            [(Tag::Full, &b"a"[..]), (Tag::Partial, b"b")]
        );
    }

    #[test]
    fn an_empty_line_is_a_record() {
        assert_eq!(cut(b"\n\n"), [(Tag::Full, &b""[..]), (Tag::Full, b"")]);
    }

    #[test]
    fn nothing_is_no_record() {
        assert!(cut(b"").is_empty());
    }

    #[test]
    fn a_record_holds_at_most_16_kib() {
        for (length, pieces) in
            [(16_384, 1), (16_385, 2), (32_768, 2), (40_000, 3)]
        {
            let mut line = vec![b'x'; length];
            line.push(b'\n');
            let records = cut(&line);
            assert_eq!(records.len(), pieces, "{length}");
            let (last, before) = records.split_last().unwrap();
            assert_eq!(last.0, Tag::Full);
            assert!(before.iter().all(
                |(tag, text)| *tag == Tag::Partial && text.len() == 16_384
            ));
            assert_eq!(
                records.iter().map(|(_, text)| text.len()).sum::<usize>(),
                length
            );
        }
    }

    #[test]
    fn times_have_nanoseconds_and_an_offset() {
        let time = now();
        assert_eq!(time.len(), "2026-11-23T18:00:00.123456789+00:00".len());
        assert!(time.ends_with("+00:00"), "{time}");
    }
}
