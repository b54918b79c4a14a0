//! Files of /proc and /sys, which the kernel writes while they are read.

use crate::error::{InCall, Result};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// More than most of them have.
const ROOM: usize = 16 * 1024;

/// Reads one of them. It has no size that would tell how much to make room for;
/// without some it would be read by spoonfuls, and for each of them the kernel
/// looks for the place where it was.
///
/// # Errors
/// ENOENT: no such file, or no such process. EACCES: not for us to see.
///
/// Source: proc(5)
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(ROOM);
    let file = File::open(path);
    file.and_then(|mut file| file.read_to_end(&mut bytes))
        .in_call(|| format!("read({path:?})"))?;
    Ok(bytes)
}
