//! config.json, as it is written: always the same text for the same content, so
//! that two bundles can be compared, and never in place of one that is there.

use anyhow::Result;
use namespaces::{InCall, SyscallError};
use nix::errno::Errno;
use oci_spec::runtime::Spec;
use serde_json::Value;
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// Writes a new config.json.
///
/// # Errors
/// EEXIST: there is one already. EACCES, ENOENT, ENOSPC: as of open(2) and
/// write(2).
pub(crate) fn write(spec: &Spec, path: &Path) -> Result<()> {
    let mut json =
        serde_json::to_value(spec).expect("a Spec has string keys only");
    sort_capabilities(&mut json);
    let text = serde_json::to_string_pretty(&json)
        .expect("a JSON value is one already")
        + "\n";
    let mut file =
        File::create_new(path).map_err(|error| refused(path, &error))?;
    if let Err(error) = file.write_all(text.as_bytes()) {
        // Half a configuration helps nobody; what went wrong says the error of
        // the write.
        let _ = std::fs::remove_file(path);
        return Err(error)
            .in_call(|| format!("write({path:?})"))
            .map_err(Into::into);
    }
    Ok(())
}

fn refused(path: &Path, error: &std::io::Error) -> SyscallError {
    let errno = error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
    let error =
        SyscallError::new(format!("open({path:?}, O_CREAT|O_EXCL)"), errno);
    match errno {
        Errno::EEXIST => error.hint("edit it, or remove it first"),
        _ => error,
    }
}

/// oci-spec keeps them in hash sets, whose order differs from one run to the
/// next.
fn sort_capabilities(json: &mut Value) {
    let sets = json
        .pointer_mut("/process/capabilities")
        .and_then(Value::as_object_mut);
    for set in sets
        .into_iter()
        .flat_map(|sets| sets.values_mut())
        .filter_map(Value::as_array_mut)
    {
        set.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    }
}
