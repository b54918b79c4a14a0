//! What a runtime says about itself: the first lines of `--version`, which
//! engines read before anything else.

/// What a runtime says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The runtime's name for itself, such as `runc`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The version of the runtime-spec that it implements, if it tells.
    pub spec: Option<String>,
}

/// Reads `NAME version X`, and a later line `spec: X`.
pub(crate) fn parse_version(text: &str) -> Option<Version> {
    let (name, version) = text.lines().next()?.split_once(" version ")?;
    let spec = text.lines().find_map(|line| line.strip_prefix("spec: "));
    Some(Version {
        name: name.to_owned(),
        version: version.trim().to_owned(),
        spec: spec.map(|version| version.trim().to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_names_the_runtime() {
        let text = "runc version 1.1.5+ds1\ncommit: 1\nspec: 1.0.2-dev\n";
        let version = parse_version(text).unwrap();
        assert_eq!(
            (version.name.as_str(), version.version.as_str()),
            ("runc", "1.1.5+ds1")
        );
        assert_eq!(version.spec.as_deref(), Some("1.0.2-dev"));
    }

    #[test]
    fn a_program_that_says_something_else_is_no_runtime() {
        assert_eq!(parse_version("hello\n"), None);
        assert_eq!(parse_version(""), None);
    }
}
