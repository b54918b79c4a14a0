//! One entry of `mounts`, understood: what kind of mount it is, and what its
//! options mean for that kind. All that is refused for its form is refused here.

use super::cgroup;
use super::idmap::{self, IdMap};
use super::part::{Part, What};
use crate::isolation::Isolation;
use crate::mount_options::Options;
use anyhow::{Context, Result, bail};
use namespaces::InCall;
use namespaces::mounts::{Filesystem, Mount, Propagation, Reach};
use namespaces::namespace::Namespace;
use oci_spec::runtime::Mount as Entry;
use std::path::{Component, Path, PathBuf};

/// Translates one entry. Mounts of one entry are made one after another; ids
/// are mapped of a single one.
pub(super) fn plan(
    entry: &Entry,
    bundle: &Path,
    isolation: &Isolation,
    cgroup: Option<&Path>,
) -> Result<(Vec<Part>, Option<IdMap>)> {
    let target = target(entry)?;
    let mut options =
        Options::parse(entry.options().as_deref().unwrap_or_default());
    let typ = entry.typ().as_deref().filter(|typ| *typ != "none");
    options.bind = options.bind.or(match typ {
        Some("bind") => Some(Reach::This),
        Some("rbind") => Some(Reach::AllBelow),
        _ => None,
    });
    check(&options, typ)?;
    let idmap = idmap::plan(entry, &options, isolation)?;
    let mut parts = match (options.remount, options.bind, typ) {
        (true, bind, _) => vec![remount(&target, bind, &options)],
        (false, Some(reach), _) => {
            let source = bind_source(entry, bundle)?;
            let what = What::Bind { source, reach };
            vec![Part::new(&target, what, &options)]
        }
        (false, None, Some("cgroup" | "cgroup2")) => {
            cgroup::plan(&target, &options, cgroup)?
        }
        (false, None, Some(typ)) => {
            check_ids(typ, &options, isolation)?;
            vec![filesystem(entry, typ, &target, &options)]
        }
        (false, None, None) => {
            bail!("type: missing, and no bind or rbind among the options")
        }
    };
    for part in &mut parts {
        part.user_namespace = isolation.own().contains(Namespace::User);
        if idmap.is_some() || part.user_namespace {
            // On the host it may be shared: what is mounted in it inside would
            // appear there.
            part.cut_off_if_silent();
        }
    }
    Ok((parts, idmap))
}

/// A relative one counts from the root.
fn target(entry: &Entry) -> Result<PathBuf> {
    let target = Path::new("/").join(entry.destination());
    let is_name = |part| matches!(part, Component::Normal(_));
    if !target.components().any(is_name) {
        bail!("destination: {:?} is the root itself", entry.destination());
    }
    Ok(target)
}

/// Refuses words that would be without effect on such a mount.
fn check(options: &Options, typ: Option<&str>) -> Result<()> {
    let is_bind = options.bind.is_some();
    if options.copy_up && (is_bind || typ != Some("tmpfs")) {
        bail!("options: \"tmpcopyup\": not for a mount that is no tmpfs");
    }
    if options.idmap.is_some() && !is_bind {
        bail!("options: \"idmap\": not for a mount that is no bind mount");
    }
    match (is_bind, typ, options.data.first()) {
        // A bind mount has the options of the file system that it shows.
        // mount(2) passes over others, and so does runc; the specification's
        // own tests give some.
        (true, ..) => Ok(()),
        // Shown by a bind mount too.
        (false, Some(typ @ ("cgroup" | "cgroup2")), Some(word)) => {
            bail!("options: {word:?}: not for a mount of type {typ}")
        }
        _ => Ok(()),
    }
}

/// A relative source counts from the bundle.
fn bind_source(entry: &Entry, bundle: &Path) -> Result<PathBuf> {
    let source = entry.source().as_ref().context("source: missing")?;
    let source = bundle.join(source);
    source
        .symlink_metadata()
        .in_call(|| format!("lstat({source:?})"))
        .context("source")?;
    Ok(source)
}

fn remount(target: &Path, bind: Option<Reach>, options: &Options) -> Part {
    let what = match bind {
        Some(_) => What::Change,
        None => What::Remount {
            superblock: options.superblock,
            data: options.data.join(","),
        },
    };
    Part::new(target, what, options)
}

fn filesystem(
    entry: &Entry,
    typ: &str,
    target: &Path,
    options: &Options,
) -> Part {
    let source = entry.source().clone().unwrap_or_else(|| PathBuf::from(typ));
    let data = options.data.join(",");
    let mount = Mount {
        source,
        data: (!data.is_empty()).then_some(data),
        ..Mount::new(typ, target).with_flags(options.flags())
    };
    let what = match needs_steps(options) {
        true => in_steps(mount, typ, options),
        false => What::New(mount),
    };
    Part::new(target, what, options)
}

/// A new mount is private as it is.
fn needs_steps(options: &Options) -> bool {
    let is_silent =
        |(how, _): &(Propagation, Reach)| matches!(how, Propagation::Private);
    options.copy_up
        || !options.all_below.is_nothing()
        || !options.propagation.iter().all(is_silent)
}

fn in_steps(like: Mount, typ: &str, options: &Options) -> What {
    let filesystem =
        Filesystem::new(typ).with_source(&like.source.to_string_lossy());
    let words = options.data.iter().map(String::as_str);
    let filesystem = words.fold(filesystem, Filesystem::with_word);
    let words = options.superblock_words();
    let filesystem = words.fold(filesystem, Filesystem::with_word);
    What::InSteps { like, filesystem, copy_up: options.copy_up }
}

/// The kernel says no more than EINVAL to an id that the new user namespace
/// does not know.
fn check_ids(
    typ: &str,
    options: &Options,
    isolation: &Isolation,
) -> Result<()> {
    let new_user = isolation.new.contains(Namespace::User);
    if !new_user || !matches!(typ, "devpts" | "tmpfs") {
        return Ok(());
    }
    let maps = &isolation.maps;
    for word in &options.data {
        let (map, field, id) = match word.split_once('=') {
            Some(("uid", id)) => (&maps.uids, "uidMappings", id),
            Some(("gid", id)) => (&maps.gids, "gidMappings", id),
            _ => continue,
        };
        let known = |id| map.iter().any(|range| range.has(id));
        if id.parse().is_ok_and(|id| !known(id)) {
            bail!(
                "options: {word:?}: not an id of the user namespace\nhint: \
                 leave the word out, or map {id} in linux.{field}"
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(json: &str) -> Result<Vec<Part>> {
        let linux = r#"{"namespaces":[{"type":"mount"},{"type":"user"}],
            "uidMappings":[{"hostID":1,"containerID":0,"size":1}],
            "gidMappings":[{"hostID":1,"containerID":0,"size":1}]}"#;
        let isolation =
            crate::isolation::plan(&serde_json::from_str(linux).unwrap());
        let entry = serde_json::from_str(json).unwrap();
        let planned = plan(&entry, Path::new("/"), &isolation.unwrap(), None);
        planned.map(|(parts, _)| parts)
    }

    #[test]
    fn a_relative_path_counts_from_the_root_and_a_source_from_the_bundle() {
        let json = r#"{"destination":"x","source":"etc","options":["rbind"]}"#;
        let part = planned(json).unwrap().remove(0);
        assert_eq!(part.target, Path::new("/x"));
        let What::Bind { source, reach } = part.what else {
            panic!("{part:?}")
        };
        assert_eq!((&*source, reach), (Path::new("/etc"), Reach::AllBelow));
    }

    #[test]
    fn one_call_makes_a_file_system_unless_more_is_asked_for() {
        for (options, in_steps) in [
            (r#""nosuid","mode=755""#, false),
            (r#""rprivate","ro""#, false),
            (r#""rro""#, true),
            (r#""shared""#, true),
            (r#""tmpcopyup""#, true),
        ] {
            let json = format!(
                r#"{{"destination":"/x","type":"tmpfs","options":[{options}]}}"#
            );
            let part = planned(&json).unwrap().remove(0);
            let steps = matches!(part.what, What::InSteps { .. });
            assert_eq!(steps, in_steps, "{options}");
        }
    }

    #[test]
    #[rustfmt::skip]
    fn a_bad_mount_says_which_part_is_bad() {
        for (json, start) in [
            (r#"{"destination":"","type":"tmpfs"}"#, "destination: "),
            (r#"{"destination":"/../.","type":"tmpfs"}"#, "destination: "),
            (r#"{"destination":"/x"}"#, "type: missing"),
            (r#"{"destination":"/x","type":"cgroup","options":["ro","frob"]}"#, "options: \"frob\""),
            (r#"{"destination":"/x","type":"bind"}"#, "source: missing"),
            (r#"{"destination":"/x","source":"/nowhere","options":["bind"]}"#, "source: lstat(\"/nowhere\") = ENOENT"),
            (r#"{"destination":"/x","type":"proc","options":["tmpcopyup"]}"#, "options: \"tmpcopyup\""),
            (r#"{"destination":"/x","type":"tmpfs","options":["ridmap"]}"#, "options: \"idmap\""),
            (r#"{"destination":"/x","type":"devpts","options":["gid=5"]}"#, "options: \"gid=5\""),
            (r#"{"destination":"/x","source":"/etc","options":["bind"],"uidMappings":[{"hostID":1,"containerID":0,"size":1}]}"#, "gidMappings: missing"),
        ] {
            let error = format!("{:#}", planned(json).unwrap_err());
            assert!(error.starts_with(start), "{error}");
        }
    }
}
