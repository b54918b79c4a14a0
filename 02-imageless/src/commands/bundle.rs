//! `imageless bundle`: from a program to something that any OCI runtime runs,
//! in one step and without an image.

use crate::bundle::{self, Recipe, Summary};
use crate::default_spec::{Owner, default_spec};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct Bundle {
    /// Programs to put in: paths, or names on PATH
    #[arg(required = true, value_name = "PROGRAM")]
    programs: Vec<PathBuf>,
    /// What the container runs, the program first [default: the first PROGRAM,
    /// without arguments]
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// Directory to make [default: the first program's name]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Put in this file or directory too, also at another absolute path
    #[arg(long, value_name = "HOST[:PATH]")]
    copy: Vec<String>,
    /// Host name in the container
    #[arg(long, value_name = "NAME", default_value = "imageless")]
    hostname: String,
    /// Set or replace a variable of the environment
    #[arg(short, long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// Run on a terminal
    #[arg(short, long)]
    terminal: bool,
    /// For a user without privileges: in a user namespace, where you are root
    #[arg(long)]
    rootless: bool,
}

impl Bundle {
    /// Makes the bundle and tells what came along.
    pub(crate) fn run(self) -> Result<()> {
        let name = self.programs[0].file_name().unwrap_or_default().to_owned();
        let directory =
            self.output.clone().unwrap_or_else(|| name.clone().into());
        let summary = bundle::make(&directory, self.recipe()?)
            .with_context(|| format!("bundle {}", directory.display()))?;
        print_summary(&directory, &name.display().to_string(), &summary);
        Ok(())
    }

    fn recipe(self) -> Result<Recipe> {
        let owner = if self.rootless { Owner::rootless() } else { Owner::Root };
        let mut spec = default_spec(owner);
        spec.set_hostname(Some(self.hostname));
        let process =
            spec.process_mut().as_mut().expect("default_spec makes a process");
        process.set_terminal(Some(self.terminal));
        let env = process.env_mut().get_or_insert_default();
        self.env.iter().try_for_each(|variable| set_variable(env, variable))?;
        Ok(Recipe {
            programs: self.programs,
            copies: self.copy,
            spec,
            command: self.command,
        })
    }
}

fn set_variable(env: &mut Vec<String>, variable: &str) -> Result<()> {
    let Some((name, _)) =
        variable.split_once('=').filter(|(name, _)| !name.is_empty())
    else {
        bail!("--env {variable}: has to be NAME=VALUE");
    };
    env.retain(|present| {
        present.split_once('=').is_none_or(|(present, _)| present != name)
    });
    env.push(variable.to_owned());
    Ok(())
}

fn print_summary(directory: &Path, id: &str, summary: &Summary) {
    let Summary { args, files, bytes } = summary;
    let directory = directory.display();
    println!(
        "{directory}: {files} files, {}, to run {}",
        size(*bytes),
        args.join(" ")
    );
    println!("run it: imageless run --bundle {directory} {id}");
}

/// Renders a size with one decimal, in powers of ten as ls --si does.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => {
            format!("{}.{} kB", bytes / 1_000, bytes / 100 % 10)
        }
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_replaces_the_one_of_its_name_only() {
        let mut env = vec!["PATH=/bin".to_owned(), "PATHS=1".to_owned()];
        set_variable(&mut env, "PATH=/sbin")
            .expect("it has a name and a value");
        assert_eq!(env, ["PATHS=1", "PATH=/sbin"]);
        assert!(set_variable(&mut env, "=x").is_err());
        assert!(set_variable(&mut env, "x").is_err());
    }

    #[test]
    fn a_size_has_one_decimal() {
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1_250), "1.2 kB");
        assert_eq!(size(2_987_000), "2.9 MB");
    }
}
