//! The container's first process: what is executed, as whom, with which
//! environment and which rights.

use oci_spec::runtime::{Process, ProcessBuilder};

use super::{Inputs, capabilities};
use crate::cri::{ContainerConfig, KeyValue, LinuxContainerSecurityContext};
use crate::error::{Error, Result};

/// Where programs are looked up when the request does not say: Docker's value.
const PATH: &str =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Writes `process` of config.json.
///
/// # Errors
/// [`Error::Invalid`]: nothing to execute, or a field that cannot be.
///
/// Source: runtime-spec: config.md, "Process"
pub(super) fn process(
    inputs: &Inputs<'_>,
    security: &LinuxContainerSecurityContext,
) -> Result<Process> {
    let config = inputs.config;
    let asked = security.capabilities.clone().unwrap_or_default();
    let mut process = ProcessBuilder::default()
        .terminal(false)
        .user(inputs.user.clone())
        .args(args(config)?)
        .env(env(&config.envs)?)
        .cwd(cwd(&config.working_dir)?)
        .capabilities(capabilities::capabilities(&asked, inputs.limits)?)
        .no_new_privileges(security.no_new_privs)
        .build()?;
    // The builder's default raises RLIMIT_NOFILE, which takes CAP_SYS_RESOURCE.
    process.set_rlimits(None);
    process
        .set_oom_score_adj(oom_score_adj(config, inputs.limits.oom_score_adj));
    Ok(process)
}

/// Joins what Kubernetes splits: command (the entrypoint) and args.
fn args(config: &ContainerConfig) -> Result<Vec<String>> {
    let args: Vec<_> =
        config.command.iter().chain(&config.args).cloned().collect();
    match args.first() {
        None => Err(Error::Invalid(
            "command and args are both empty, and a rootfs has no image \
             config to take an entrypoint from"
                .to_owned(),
        )),
        Some(program) if program.is_empty() => {
            Err(Error::Invalid("command[0] is an empty string".to_owned()))
        }
        Some(_) => Ok(args),
    }
}

fn env(asked: &[KeyValue]) -> Result<Vec<String>> {
    let mut env = asked.iter().map(variable).collect::<Result<Vec<_>>>()?;
    if !env.iter().any(|variable| variable.starts_with("PATH=")) {
        env.push(PATH.to_owned());
    }
    Ok(env)
}

/// A `=` in the name or a NUL anywhere would make another variable, or end the
/// list (execve(2) takes C strings).
fn variable(asked: &KeyValue) -> Result<String> {
    let refuse = |why| Error::Invalid(format!("envs: {:?}: {why}", asked.key));
    let value = std::str::from_utf8(&asked.value)
        .map_err(|_| refuse("the value is not UTF-8"))?;
    if asked.key.is_empty() || asked.key.contains('=') {
        return Err(refuse("not a name"));
    }
    if asked.key.contains('\0') || value.contains('\0') {
        return Err(refuse("a NUL byte"));
    }
    Ok(format!("{}={value}", asked.key))
}

fn cwd(asked: &str) -> Result<&str> {
    match asked {
        "" => Ok("/"),
        path if path.starts_with('/') => Ok(path),
        path => Err(Error::Invalid(format!(
            "working_dir {path:?}: not an absolute path"
        ))),
    }
}

/// Without resources in the request the container inherits ours; with them it
/// gets what was asked, but not less than ours.
fn oom_score_adj(config: &ContainerConfig, own: i32) -> Option<i32> {
    let resources = config.linux.as_ref()?.resources.as_ref()?;
    let asked = resources.oom_score_adj.clamp(-1000, 1000) as i32;
    Some(asked.max(own))
}

#[cfg(test)]
mod tests {
    use super::super::{plain, spec_of};
    use super::*;
    use crate::cri::{LinuxContainerConfig, LinuxContainerResources};

    fn process_of(config: &ContainerConfig) -> Result<Process> {
        Ok(spec_of(config)?.process().clone().expect("always written"))
    }

    #[test]
    fn command_and_args_are_one_argv() {
        let config = ContainerConfig {
            command: vec!["sh".to_owned(), "-c".to_owned()],
            args: vec!["true".to_owned()],
            ..plain()
        };
        let args = process_of(&config).unwrap().args().clone().unwrap();
        assert_eq!(args, ["sh", "-c", "true"]);
    }

    #[test]
    fn nothing_to_execute_is_refused() {
        let error =
            process_of(&ContainerConfig::default()).unwrap_err().to_string();
        assert!(
            error.starts_with("command and args are both empty"),
            "{error}"
        );
        let empty = ContainerConfig { command: vec![String::new()], ..plain() };
        assert!(process_of(&empty).is_err());
    }

    #[test]
    fn path_is_set_unless_it_is_asked_for() {
        assert_eq!(env(&[]).unwrap(), [PATH]);
        let path = KeyValue { key: "PATH".to_owned(), value: b"/opt".to_vec() };
        assert_eq!(env(&[path]).unwrap(), ["PATH=/opt"]);
    }

    #[test]
    fn a_variable_that_would_be_another_one_is_refused() {
        for (key, value) in
            [("", "x"), ("A=B", "x"), ("A", "x\0B=y"), ("A\0", "x")]
        {
            let asked = KeyValue {
                key: key.to_owned(),
                value: value.as_bytes().to_vec(),
            };
            let error = variable(&asked).unwrap_err().to_string();
            assert!(error.starts_with("envs: "), "{error}");
        }
    }

    #[test]
    fn the_oom_score_is_never_less_than_ours() {
        let score = |asked| {
            let resources = LinuxContainerResources {
                oom_score_adj: asked,
                ..Default::default()
            };
            let linux = LinuxContainerConfig {
                resources: Some(resources),
                ..Default::default()
            };
            oom_score_adj(
                &ContainerConfig { linux: Some(linux), ..plain() },
                100,
            )
        };
        assert_eq!(
            [score(-998), score(0), score(500)],
            [Some(100), Some(100), Some(500)]
        );
        assert_eq!(score(i64::MAX), Some(1000));
        assert_eq!(oom_score_adj(&plain(), 100), None, "inherited");
    }
}
