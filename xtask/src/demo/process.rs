//! Processes as /proc shows them: who is whose child, and since when.

use std::fs;

/// One process that lives. A zombie does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: i32,
    pub(super) parent: i32,
    pub(super) name: String,
    /// Clock ticks since boot: with the pid, it tells a process from a later
    /// one of the same number.
    pub(super) started: u64,
}

/// Looks a process up.
///
/// Source: proc_pid_stat(5)
pub(super) fn process(pid: i32) -> Option<Process> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name may hold spaces and parentheses: the last `)` ends it.
fn parse(stat: &str) -> Option<Process> {
    let (begin, rest) = stat.rsplit_once(')')?;
    let (pid, name) = begin.split_once(" (")?;
    let fields: Vec<_> = rest.split_whitespace().collect();
    if ["Z", "X"].contains(fields.first()?) {
        return None;
    }
    Some(Process {
        pid: pid.parse().ok()?,
        parent: fields.get(1)?.parse().ok()?,
        name: name.to_owned(),
        started: fields.get(19)?.parse().ok()?,
    })
}

/// All processes that live now.
pub(super) fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name());
    let pids = names.filter_map(|name| name.to_str()?.parse().ok());
    pids.filter_map(process).collect()
}

/// Draws `root` and its descendants, one line each, indented by generation.
pub(super) fn tree(all: &[Process], root: i32) -> Vec<String> {
    let mut lines = vec![];
    if let Some(process) = all.iter().find(|process| process.pid == root) {
        draw(all, process, 0, &mut lines);
    }
    lines
}

fn draw(all: &[Process], of: &Process, depth: usize, lines: &mut Vec<String>) {
    let indent = "   ".repeat(depth);
    let indent = indent.get(3..).unwrap_or_default();
    let name = match depth {
        0 => format!("{}  (a child of {})", of.name, of.parent),
        _ => format!("{indent}`- {}", of.name),
    };
    lines.push(format!("{:>8}  {name}", of.pid));
    for child in all.iter().filter(|child| child.parent == of.pid) {
        draw(all, child, depth + 1, lines);
    }
}

#[cfg(test)]
mod tests {
    use super::{Process, parse, process, tree};

    const STAT: &str = "42 (a) b) S 7 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 \
                        1 0 98765 2985984 1 18446744073709551615";

    #[test]
    fn a_name_with_a_parenthesis_does_not_shift_the_fields() {
        let expected =
            Process { pid: 42, parent: 7, name: "a) b".into(), started: 98765 };
        assert_eq!(parse(STAT), Some(expected));
    }

    #[test]
    fn a_zombie_is_no_living_process() {
        assert_eq!(parse(&STAT.replace(" S ", " Z ")), None);
    }

    #[test]
    fn this_process_finds_itself() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let found = process(pid).unwrap();
        assert_eq!(found.pid, pid);
        assert!(found.started > 0 && found.parent > 0);
    }

    #[test]
    fn the_tree_shows_descendants_below_their_parents() {
        let one = |pid, parent, name: &str| Process {
            pid,
            parent,
            name: name.into(),
            started: 1,
        };
        let all = [
            one(20, 10, "sh"),
            one(1, 0, "init"),
            one(10, 1, "conman-shim"),
            one(30, 20, "sleep"),
        ];
        let expected = [
            "      10  conman-shim  (a child of 1)",
            "      20  `- sh",
            "      30     `- sleep",
        ];
        assert_eq!(tree(&all, 10), expected);
        assert!(tree(&all, 99).is_empty());
    }
}
