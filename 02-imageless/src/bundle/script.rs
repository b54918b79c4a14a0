//! `#!` scripts: the kernel starts another program in their place, which has to
//! come along.

use std::path::{Path, PathBuf};

/// The kernel reads no more of a file to find out how to run it (Linux 5.1,
/// 2019-05; 128 before).
const BINPRM_BUF_SIZE: usize = 256;

/// The first line of a script.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Script {
    /// The program that the kernel starts with the script's path as an
    /// argument.
    pub(crate) interpreter: PathBuf,
    /// The rest of the line, passed as one word.
    argument: Option<String>,
}

impl Script {
    /// Parses the line as the kernel does; none if the file is no script.
    ///
    /// Source: execve(2), "Interpreter scripts"
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let head =
            bytes[..bytes.len().min(BINPRM_BUF_SIZE)].strip_prefix(b"#!")?;
        let line =
            std::str::from_utf8(head.split(|byte| *byte == b'\n').next()?)
                .ok()?;
        let line = line.trim_matches([' ', '\t']);
        let (interpreter, argument) =
            line.split_once([' ', '\t']).unwrap_or((line, ""));
        let argument = argument.trim_matches([' ', '\t']);
        (!interpreter.is_empty()).then(|| Self {
            interpreter: interpreter.into(),
            argument: (!argument.is_empty()).then(|| argument.to_owned()),
        })
    }

    /// Gives the program that env(1) will look for on PATH, in `#!/usr/bin/env
    /// [-S] [NAME=VALUE..] PROGRAM`.
    pub(crate) fn program_for_env(&self) -> Option<&str> {
        if self.interpreter.file_name() != Path::new("env").file_name() {
            return None;
        }
        let mut words = self.argument.as_deref()?.split([' ', '\t']);
        words.find(|word| {
            !word.is_empty() && !word.starts_with('-') && !word.contains('=')
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Script {
        Script::parse(line.as_bytes()).expect("a script")
    }

    #[test]
    fn the_argument_is_one_word_as_for_the_kernel() {
        let script = parse("#! /bin/sh\t-e -u \nexit\n");
        assert_eq!(script.interpreter, Path::new("/bin/sh"));
        assert_eq!(script.argument.as_deref(), Some("-e -u"));
        assert_eq!(parse("#!/bin/sh\n").argument, None);
    }

    #[test]
    fn env_names_a_second_program() {
        assert_eq!(
            parse("#!/usr/bin/env bash\n").program_for_env(),
            Some("bash")
        );
        assert_eq!(
            parse("#!/usr/bin/env -S A=1 perl -w\n").program_for_env(),
            Some("perl")
        );
        assert_eq!(parse("#!/bin/sh -e\n").program_for_env(), None);
    }

    #[test]
    fn other_files_are_no_scripts() {
        for bytes in [&b""[..], b"#", b"#!", b"#! \n", b"\x7fELF", b"hello"] {
            assert_eq!(Script::parse(bytes), None, "{bytes:?}");
        }
    }
}
