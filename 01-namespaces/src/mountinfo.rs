//! What is mounted, as the kernel tells it: one line a mount, read into a value
//! with the fields that this project asks for.

use crate::error::Result;
use crate::kernel_file;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// One mount in a mount namespace.
///
/// Source: proc_pid_mountinfo(5)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountInfo {
    /// Which directory of the file system is visible here; `/` if all of it.
    pub root: PathBuf,
    /// Where, as the process sees it.
    pub target: PathBuf,
    /// Options of this mount: `rw,nosuid`.
    pub options: String,
    /// Tags such as `shared:1`, `master:2`; empty if it is private.
    pub propagation: Vec<String>,
    /// The type of file system.
    pub fstype: String,
    /// A device, or a name that the file system does not look at.
    pub source: PathBuf,
    /// Options of the file system: `rw,size=64k`; of a v1 cgroup, its
    /// controllers.
    pub super_options: String,
}

impl MountInfo {
    /// Reads the mounts that a process sees, in the order in which they were
    /// mounted; `process` is a pid or `self`.
    ///
    /// # Errors
    /// ENOENT: no such process. EACCES: not allowed to ptrace it. EINVAL: it
    /// has ended.
    ///
    /// Source: proc_pid_mountinfo(5)
    pub fn of(process: &str) -> Result<Vec<Self>> {
        let path = format!("/proc/{process}/mountinfo");
        let bytes = kernel_file::read(path.as_ref());
        Ok(Self::parse(&bytes.map_err(|e| e.hint_at_proc(process))?))
    }

    /// Understands mountinfo; leaves out what is no line of it. Bytes: a path
    /// need not be UTF-8, and anybody's may stand among ours.
    pub fn parse(bytes: &[u8]) -> Vec<Self> {
        bytes.split(|byte| *byte == b'\n').filter_map(Self::line).collect()
    }

    /// `36 35 98:0 ROOT TARGET OPTIONS [TAGS].. - FSTYPE SOURCE SUPER-OPTIONS`
    fn line(line: &[u8]) -> Option<Self> {
        let mut fields = line.split(|byte| *byte == b' ').skip(3);
        Some(Self {
            root: unescape(fields.next()?),
            target: unescape(fields.next()?),
            options: text(fields.next()?),
            propagation: fields
                .by_ref()
                .take_while(|field| *field != b"-")
                .map(text)
                .collect(),
            fstype: text(fields.next()?),
            source: unescape(fields.next()?),
            super_options: text(fields.next()?),
        })
    }
}

fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(field).into_owned()
}

/// Undoes the kernel's `\040` for a space, and the like.
fn unescape(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::new();
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let code = escaped(rest);
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &after[3..] } else { after };
    }
    PathBuf::from(OsString::from_vec(bytes))
}

/// Reads a backslash and three octal digits.
fn escaped(bytes: &[u8]) -> Option<u8> {
    let digits = bytes.strip_prefix(b"\\")?.get(..3)?;
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn every_field_of_a_line_is_found_with_and_without_tags() {
        let text = b"\
36 35 98:0 /a /b rw,noatime shared:1 master:2 - ext3 /dev/root rw,errors=go
37 35 0:5 / /c ro - tmpfs none rw
";
        let [first, second] = &MountInfo::parse(text)[..] else {
            panic!("two lines")
        };
        assert_eq!(first.propagation, ["shared:1", "master:2"]);
        assert_eq!(first.super_options, "rw,errors=go");
        assert_eq!(second.propagation, [""; 0]);
        assert_eq!((&*second.fstype, &*second.options), ("tmpfs", "ro"));
    }

    #[test]
    fn a_space_in_a_path_is_a_space_again() {
        assert_eq!(unescape(br"/a\040b\134c"), PathBuf::from(r"/a b\c"));
        assert_eq!(unescape(br"/a\04"), PathBuf::from(r"/a\04"));
    }

    #[test]
    fn a_path_that_is_no_text_is_the_same_path() {
        let line = b"36 35 8:0 / /\xff\\012 rw - ext3 \xfe rw";
        let mount = &MountInfo::parse(line)[0];
        assert_eq!(mount.target.as_os_str().as_bytes(), b"/\xff\n");
        assert_eq!(mount.source.as_os_str().as_bytes(), b"\xfe");
    }
}
