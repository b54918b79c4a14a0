//! The container's program: what execve(2) will be given. It is looked for
//! while `create` can still say that it is missing.

use anyhow::{Context, Result, bail};
use namespaces::InCall;
use nix::unistd::{AccessFlags, access};
use oci_spec::runtime::Process;
use std::ffi::CString;
use std::path::{Path, PathBuf};

/// Arguments and environment in the form that execve(2) takes.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) argv: Vec<CString>,
    pub(crate) env: Vec<CString>,
}

/// Where a program without a PATH of its own is looked for.
const DEFAULT_PATH: &str =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Translates `process.args` and `process.env`.
///
/// # Errors
/// A zero byte, which would cut the text short.
pub(crate) fn plan(process: &Process) -> Result<Program> {
    let argv = c_strings(
        "process.args",
        process.args().as_deref().unwrap_or_default(),
    )?;
    let env =
        c_strings("process.env", process.env().as_deref().unwrap_or_default())?;
    Ok(Program { argv, env })
}

fn c_strings(field: &str, texts: &[String]) -> Result<Vec<CString>> {
    let c_string = |(i, text): (usize, &String)| {
        CString::new(text.as_str()).with_context(|| {
            format!("config.json: {field}[{i}]: a zero byte in {text:?}")
        })
    };
    texts.iter().enumerate().map(c_string).collect()
}

/// Finds the program's file as execvp(3) would. Runs in init, as the
/// container's user in the container's root.
///
/// # Errors
/// In the words that engines look for: `executable file not found in $PATH`,
/// `no such file or directory`, `permission denied`.
pub(crate) fn find(process: &Process) -> Result<CString> {
    let args = process.args().as_deref().unwrap_or_default();
    let name = args.first().map(String::as_str).unwrap_or_default();
    let path = if name.contains('/') {
        executable(Path::new(name))
    } else {
        search(name, process)
    };
    let path = path.map_err(|why| {
        anyhow::anyhow!("config.json: process.args[0]: exec: {name:?}: {why}")
    })?;
    Ok(CString::new(path.into_os_string().into_encoded_bytes())?)
}

fn search(name: &str, process: &Process) -> Result<PathBuf> {
    let variable = |env: &String| env.strip_prefix("PATH=").map(str::to_owned);
    let path = process.env().iter().flatten().find_map(variable);
    let path = path.as_deref().unwrap_or(DEFAULT_PATH);
    let mut denied = None;
    for dir in path.split(':').filter(|_| !name.is_empty()) {
        let dir = if dir.is_empty() { Path::new(".") } else { Path::new(dir) };
        let file = dir.join(name);
        match executable(&file) {
            Ok(file) => return Ok(file),
            Err(why) if file.exists() => denied = denied.or(Some(why)),
            Err(_) => {}
        }
    }
    match denied {
        Some(why) => Err(why),
        None => {
            bail!("executable file not found in $PATH\nhint: PATH is {path}")
        }
    }
}

fn executable(file: &Path) -> Result<PathBuf> {
    let metadata = match file.metadata() {
        Ok(metadata) => metadata,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            bail!(
                "no such file or directory\nhint: a symlink is followed \
                 inside the container's root"
            )
        }
        result => result.in_call(|| format!("stat({file:?})"))?,
    };
    if metadata.is_dir() {
        bail!("is a directory");
    }
    if access(file, AccessFlags::X_OK).is_err() {
        bail!(
            "permission denied\nhint: the file has no execute permission for \
             the container's user"
        );
    }
    Ok(file.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(args: &[&str], path: &str) -> Process {
        let mut process = Process::default();
        process
            .set_args(Some(args.iter().map(|&arg| arg.to_owned()).collect()));
        process.set_env(Some(vec![format!("PATH={path}")]));
        process
    }

    #[test]
    fn a_name_is_searched_in_the_containers_path() {
        assert_eq!(
            find(&process(&["sh"], "/nowhere:/bin")).unwrap(),
            CString::from(c"/bin/sh")
        );
    }

    #[test]
    fn what_is_missing_is_said_in_the_words_that_engines_look_for() {
        for (name, words) in [
            ("bahs", "exec: \"bahs\": executable file not found in $PATH"),
            ("", "executable file not found in $PATH"),
            ("/bin/bahs", "exec: \"/bin/bahs\": no such file or directory"),
            ("/etc/passwd", "exec: \"/etc/passwd\": permission denied"),
            ("/etc", "is a directory"),
        ] {
            let error =
                find(&process(&[name], "/bin")).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
