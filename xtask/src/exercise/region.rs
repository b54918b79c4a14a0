//! Cuts two texts out of one tested source: what a learner starts with, and the
//! solution.
//!
//! What the learner has to write stands between `// EXERCISE 01.2 begin` and
//! `// EXERCISE 01.2 end`. Lines `// STARTER: ..` in there are what stands in
//! its place at the beginning; for the compiler of the tests they are comments.

use anyhow::{Result, bail};

/// Which text to cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Starter,
    Solution,
}

const MARK: &str = "// EXERCISE ";
const STARTER: &str = "// STARTER:";

/// Cuts the text for exercise `id` out of the source of that `file`.
///
/// # Errors
/// `FILE:LINE: ..`: a region of another exercise, one that is not closed, not
/// opened, or without a starter; no region at all.
pub(crate) fn cut(
    (file, source): (&str, &str),
    id: &str,
    which: Cut,
) -> Result<String> {
    let mut text = String::new();
    let mut open: Option<Region> = None;
    let mut regions = 0;
    for (line, number) in source.lines().zip(1..) {
        match (mark(line, id), &mut open) {
            (None, region) => text.push_str(&kept(line, region, which)),
            (Some(Mark::Begin), None) => {
                open = Some(Region { begin: number, starter_lines: 0 });
                regions += 1;
            }
            (Some(Mark::End), Some(region)) => {
                if region.starter_lines == 0 {
                    bail!("{file}:{number}: the region has no `{STARTER}`");
                }
                open = None;
            }
            (Some(Mark::Begin), Some(region)) => {
                bail!(
                    "{file}:{number}: the region of line {} is still open",
                    region.begin
                );
            }
            (Some(Mark::End), None) => {
                bail!("{file}:{number}: ends a region that nothing began");
            }
            (Some(Mark::Other), _) => {
                bail!(
                    "{file}:{number}: not `{MARK}{id} begin` nor `{MARK}{id} \
                     end`"
                );
            }
        }
    }
    match open {
        Some(region) => {
            bail!("{file}:{}: the region is never closed", region.begin)
        }
        None if regions == 0 => bail!("{file}:1: no region `{MARK}{id} begin`"),
        None => Ok(text),
    }
}

struct Region {
    begin: usize,
    starter_lines: usize,
}

enum Mark {
    Begin,
    End,
    Other,
}

fn mark(line: &str, id: &str) -> Option<Mark> {
    let words = line.trim().strip_prefix(MARK)?;
    Some(match words.split_once(' ') {
        Some((of, "begin")) if of == id => Mark::Begin,
        Some((of, "end")) if of == id => Mark::End,
        _ => Mark::Other,
    })
}

/// What becomes of a line that is no mark; in a region it is one text's only.
fn kept(line: &str, region: &mut Option<Region>, which: Cut) -> String {
    let Some(region) = region else { return format!("{line}\n") };
    let indent = &line[..line.len() - line.trim_start().len()];
    match (line.trim_start().strip_prefix(STARTER), which) {
        (Some(code), _) => {
            region.starter_lines += 1;
            let code = code.strip_prefix(' ').unwrap_or(code);
            let starter = format!("{indent}{code}").trim_end().to_owned();
            if which == Cut::Starter { starter + "\n" } else { String::new() }
        }
        (None, Cut::Solution) => format!("{line}\n"),
        (None, Cut::Starter) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
fn f() {
    // EXERCISE 01.2 begin
    // STARTER: todo(
    // STARTER:     1)
    right();
    // EXERCISE 01.2 end
}
";

    fn text(source: &str, which: Cut) -> Result<String> {
        cut(("main.rs", source), "01.2", which)
    }

    #[test]
    fn the_starter_stands_in_the_place_of_the_solution() {
        let starter = text(SOURCE, Cut::Starter).unwrap();
        assert_eq!(starter, "fn f() {\n    todo(\n        1)\n}\n");
        let solution = text(SOURCE, Cut::Solution).unwrap();
        assert_eq!(solution, "fn f() {\n    right();\n}\n");
    }

    #[test]
    fn a_region_that_does_not_match_is_named_by_file_and_line() {
        let end = "    // EXERCISE 01.2 end\n";
        for (source, complaint) in [
            (SOURCE.replace(end, ""), "main.rs:2: the region is never closed"),
            (SOURCE.replace("begin", "end"), "main.rs:2: ends a region that"),
            (SOURCE.replace("2 end", "2 begin"), "main.rs:6: the region of"),
            (SOURCE.replace("01.2 begin", "01.3 begin"), "main.rs:2: not `//"),
            (SOURCE.replace("01.2 begin", "01.2"), "main.rs:2: not `//"),
            (SOURCE.replace("STARTER", "FIXME"), "main.rs:6: the region has"),
            ("fn f() {}".into(), "main.rs:1: no region"),
        ] {
            for which in [Cut::Starter, Cut::Solution] {
                let error = text(&source, which).unwrap_err().to_string();
                assert!(error.starts_with(complaint), "{error}");
            }
        }
    }
}
