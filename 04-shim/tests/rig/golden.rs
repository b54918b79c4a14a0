//! Golden files: one example of each message of PROTOCOL.md, which the
//! manager's tests read too. Real messages are compared with them after their
//! pids and times were replaced.

use std::fs;
use std::path::Path;

/// Returns a golden file: the text that the manager's tests read too.
pub fn golden(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// Replaces pids and times by those of the golden files.
pub fn normalised(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| {
        let line = match line.find("\"data\":").map(|at| at + 7) {
            Some(at) if !line[at..].starts_with('-') => {
                let end = at
                    + line[at..]
                        .find(|c: char| !c.is_ascii_digit())
                        .unwrap_or(0);
                format!("{}4242{}", &line[..at], &line[end..])
            }
            _ => line.to_owned(),
        };
        let time = "2026-11-23T18:00:00.123456789";
        match line.find("20").filter(|at| is_time(&line[*at..])) {
            Some(at) => {
                format!("{}{time}{}", &line[..at], &line[at + time.len()..])
            }
            None => line,
        }
    });
    lines.collect()
}

fn is_time(text: &str) -> bool {
    let shape = "dddd-dd-ddTdd:dd:dd.ddddddddd";
    text.len() >= shape.len()
        && shape.chars().zip(text.chars()).all(|(want, is)| match want {
            'd' => is.is_ascii_digit(),
            want => is == want,
        })
}
