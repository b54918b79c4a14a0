//! `linux.timeOffsets`: how far the clocks of a new time namespace are from the
//! machine's.

use anyhow::{Context, Result, bail};
use namespaces::namespace::{Namespace, Namespaces};
use namespaces::time::{ClockOffsets, Offset};
use oci_spec::runtime::{Linux, LinuxTimeOffset};

/// Translates it. `None`: the clocks stay as they are.
///
/// # Errors
/// Names the clock: one that no namespace has, or more nanoseconds than a
/// second. Offsets for a namespace that is not made here, so cannot be set.
///
/// Source: runtime-spec: config-linux.md, "Offset for Time Namespace"
pub(crate) fn plan(
    linux: &Linux,
    new: Namespaces,
) -> Result<Option<ClockOffsets>> {
    let Some(config) =
        linux.time_offsets().as_ref().filter(|all| !all.is_empty())
    else {
        return Ok(None);
    };
    if !new.contains(Namespace::Time) {
        bail!(
            "config.json: linux.timeOffsets: only for a new time \
             namespace\nhint: add {{\"type\": \"time\"}} to linux.namespaces"
        );
    }
    let mut offsets = ClockOffsets::default();
    for (clock, config) in config {
        let field = || format!("config.json: linux.timeOffsets[{clock:?}]");
        let offset = offset(config).with_context(field)?;
        match clock.as_str() {
            "monotonic" => offsets.monotonic = offset,
            "boottime" => offsets.boottime = offset,
            _ => bail!("{}: not monotonic or boottime", field()),
        }
    }
    Ok(Some(offsets))
}

fn offset(config: &LinuxTimeOffset) -> Result<Offset> {
    const SECOND: u32 = 1_000_000_000;
    let nanoseconds = config.nanosecs().unwrap_or(0);
    if nanoseconds >= SECOND {
        bail!("nanosecs: {nanoseconds} is a second or more");
    }
    Ok(Offset { seconds: config.secs().unwrap_or(0), nanoseconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_that_cannot_be_set_is_named() {
        let none = Namespaces::NONE;
        let new = Namespaces::from_iter([Namespace::Time]);
        for (new, offsets, error) in [
            (none, r#"{"boottime":{"secs":1}}"#, "linux.timeOffsets: only for"),
            (new, r#"{"tai":{}}"#, r#"linux.timeOffsets["tai"]: not mono"#),
            (
                new,
                r#"{"boottime":{"nanosecs":1000000000}}"#,
                r#"linux.timeOffsets["boottime"]: nanosecs: 1000000000 is"#,
            ),
        ] {
            let json = format!(r#"{{"timeOffsets":{offsets}}}"#);
            let linux: Linux = serde_json::from_str(&json).unwrap();
            let refused = plan(&linux, new).unwrap_err();
            let refused = format!("{refused:#}");
            let start = format!("config.json: {error}");
            assert!(refused.starts_with(&start), "{refused}");
        }
    }
}
