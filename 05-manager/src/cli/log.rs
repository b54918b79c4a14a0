//! Reads a container's log in CRI's format and prints the text, each stream to
//! its own. What is read is only ever whole lines: the shim may be writing the
//! last one just now.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use crate::error::strace;
use crate::ready::readable;

/// A log that is being read.
pub(super) struct Log {
    path: PathBuf,
    file: File,
    grows: Inotify,
    /// The beginning of a line whose end is not written yet.
    rest: Vec<u8>,
}

/// One line of the log.
///
/// Source: 04-shim/PROTOCOL.md, "Log"
#[derive(Debug, PartialEq, Eq)]
struct Record<'a> {
    stream: Stream,
    /// `F`: the container ended the line here; `P`: it goes on in the next
    /// record.
    full: bool,
    text: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Stdout,
    Stderr,
}

impl Log {
    /// Opens a log at its beginning.
    ///
    /// # Errors
    /// ENOENT: there is none. EACCES: it is not ours to read.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).map_err(|error| {
            anyhow!(strace(&format!("open({path:?})"), &error))
        })?;
        let grows =
            Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)
                .context("inotify_init1()")?;
        grows
            .add_watch(path, AddWatchFlags::IN_MODIFY)
            .with_context(|| format!("inotify_add_watch({path:?})"))?;
        Ok(Self { path: path.to_owned(), file, grows, rest: Vec::new() })
    }

    /// Prints what is there and was not printed yet.
    ///
    /// # Errors
    /// EPIPE: nobody reads our output any more. A line that is no log record.
    pub(super) async fn print_new(&mut self) -> anyhow::Result<()> {
        let mut chunk = [0; 64 * 1024];
        loop {
            let read = self
                .file
                .read(&mut chunk)
                .with_context(|| format!("read({:?})", self.path))?;
            if read == 0 {
                return Ok(());
            }
            self.rest.extend_from_slice(&chunk[..read]);
            let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n')
            else {
                continue;
            };
            let lines: Vec<u8> = self.rest.drain(..=end).collect();
            self.print_lines(&lines)?;
            // A container may write as fast as we print: let ^C be heard.
            tokio::task::yield_now().await;
        }
    }

    /// Waits until the log has grown.
    ///
    /// # Errors
    /// As inotify(7).
    pub(super) async fn grown(&self) -> anyhow::Result<()> {
        readable(&self.grows).await?;
        match self.grows.read_events() {
            Ok(_) | Err(Errno::EAGAIN) => Ok(()),
            Err(errno) => Err(errno).context("read(inotify)"),
        }
    }

    fn print_lines(&self, lines: &[u8]) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        let mut err = std::io::stderr().lock();
        for line in
            lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
        {
            let record = parse(line).with_context(|| {
                format!(
                    "{}: no log record: {:?}",
                    self.path.display(),
                    String::from_utf8_lossy(line)
                )
            })?;
            let end: &[u8] = if record.full { b"\n" } else { b"" };
            match record.stream {
                Stream::Stdout => {
                    out.write_all(record.text).and_then(|()| out.write_all(end))
                }
                Stream::Stderr => {
                    err.write_all(record.text).and_then(|()| err.write_all(end))
                }
            }
            .context("write(stdout)")?;
        }
        out.flush().context("write(stdout)")
    }
}

/// Splits `TIME STREAM TAG TEXT`; the text may have spaces, or be empty.
fn parse(line: &[u8]) -> Option<Record<'_>> {
    let mut fields = line.splitn(4, |byte| *byte == b' ');
    let _time = fields.next()?;
    let stream = match fields.next()? {
        b"stdout" => Stream::Stdout,
        b"stderr" => Stream::Stderr,
        _ => return None,
    };
    let full = match fields.next()? {
        b"F" => true,
        b"P" => false,
        _ => return None,
    };
    Some(Record { stream, full, text: fields.next()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_golden_log_is_read_record_by_record() {
        let log =
            std::fs::read("../04-shim/tests/golden/container.log").unwrap();
        let lines =
            log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let records: Vec<_> =
            lines.map(|line| parse(line).expect("a record")).collect();
        let record = |stream, full, text| Record { stream, full, text };
        assert_eq!(
            records,
            [
                record(Stream::Stdout, true, b"hello".as_slice()),
                record(Stream::Stderr, true, b"oops"),
                record(Stream::Stdout, true, b""),
                record(Stream::Stdout, false, b"no newline yet"),
            ]
        );
    }

    #[test]
    fn a_line_that_is_no_record_is_refused() {
        for line in
            ["", "hello", "TIME stdout F", "TIME stdlog F x", "TIME stdout X x"]
        {
            assert_eq!(parse(line.as_bytes()), None, "{line:?}");
        }
    }
}
