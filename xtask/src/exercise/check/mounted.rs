//! Checks of mounts from config.json: where they are, which is seen, and whose
//! the files in them are.

use super::Subject;
use super::answers::compare;
use super::runtime::Runtime;
use super::scratch::Scratch;
use anyhow::{Context, Result};
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

/// Mounts five times, and looks at what has come of it.
pub(crate) fn prediction(subject: &Subject<'_>) -> Result<()> {
    let scratch = Scratch::new()?;
    let runtime = Runtime::of(subject, &scratch)?;
    let bundle = scratch.cat_bundle()?;
    let volume = scratch.path().join("volume");
    fs::create_dir(&volume)?;
    fs::write(volume.join("file"), "")?;
    fs::create_dir(bundle.join("root/real"))?;
    symlink("/real", bundle.join("root/link"))?;
    ask_for_mounts(&bundle, &volume)?;
    let (_held, pid) = runtime.run(&bundle)?;

    let file = format!("/proc/{pid}/mountinfo");
    let mounts = fs::read_to_string(&file).context(file)?;
    let last = |target: &str| {
        let mut lines = mounts.lines().rev();
        lines.find(|line| line.split(' ').nth(4) == Some(target))
    };
    let place = ["/real", "/link"].into_iter().find(|at| last(at).is_some());
    let words = |target| last(target).unwrap_or_default().split(' ');
    let source = words("/twice").skip_while(|word| *word != "-").nth(2);
    let options = words("/words").nth(5).unwrap_or_default();
    let nosuid = options.split(',').any(|option| option == "nosuid");
    let owner = |path: &Path| fs::metadata(path).map(|file| file.uid());
    let mapped = format!("/proc/{pid}/root/mapped/file");
    let (mapped, disk) =
        (owner(Path::new(&mapped))?, owner(&volume.join("file"))?);
    compare(
        subject,
        &[
            ("the volume for /link is at", place.unwrap_or("nowhere").into()),
            ("on /twice one sees the", source.unwrap_or("none").into()),
            ("/words is nosuid", if nosuid { "yes" } else { "no" }.into()),
            ("the file in /mapped belongs to", mapped.to_string()),
            ("and on disk to", disk.to_string()),
        ],
    )
}

fn ask_for_mounts(bundle: &Path, volume: &Path) -> Result<()> {
    let volume = volume.display();
    let bind = |at: &str, options: &str, maps: &str| {
        format!(
            r#"{{"destination":"{at}","source":"{volume}","options":[{options}]{maps}}}"#
        )
    };
    let tmpfs = |source: &str| {
        format!(
            r#"{{"destination":"/twice","type":"tmpfs","source":"{source}"}}"#
        )
    };
    let map = r#"[{"containerID":0,"hostID":1000,"size":1}]"#;
    let maps = format!(r#","uidMappings":{map},"gidMappings":{map}"#);
    let mounts = [
        bind("/link", r#""bind""#, ""),
        tmpfs("first"),
        tmpfs("second"),
        bind("/words", r#""bind","nosuid","suid""#, ""),
        bind("/mapped", r#""bind","idmap""#, &maps),
    ];
    let file = bundle.join("config.json");
    let config = fs::read_to_string(&file)?;
    let list = format!("\"mounts\": [{},", mounts.join(","));
    Ok(fs::write(file, config.replace("\"mounts\": [", &list))?)
}
