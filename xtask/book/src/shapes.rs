//! What differs from run to run, by its shape: the tokens that a comparison renames.
//!
//! A shape is renamed only if a reader would see another value than we do. Plain numbers stay as
//! they are: an exit code, a limit or a count that changed is a page that lies. The exceptions
//! are numbers that the kernel hands out: inodes of namespaces, and pids (see `Machine`).

use regex::Regex;
use std::fs;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

/// The kind of a token; tokens are only ever exchanged within their kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Time,
    Duration,
    Id,
    Address,
    Size,
    /// A name with a random or counted part: `pts/3`, `veth1a2b3c4d`, `tmp.Xy12..`, and what a
    /// shim of conmand's calls itself: `shim:3f2504e04f`.
    Name,
    /// A decimal number: a namespace's inode, a pid, or just a number.
    Number,
}

/// One pattern for each kind; where two match, the first wins.
const SHAPES: &[(Kind, &str)] = &[
    (
        Kind::Time,
        r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[ ]?[+-]\d\d:?\d\d)?",
    ),
    (
        Kind::Time,
        r"\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) ?\d{1,2}(?: \d\d:\d\d(?::\d\d)?(?: [A-Z]{3,4})?)?(?: 20\d\d)?\b",
    ),
    (
        Kind::Duration,
        r"\b(?:(?:About |Less than )?(?:an?|\d+) (?:second|minute|hour)s?)\b(?: ago\b)?",
    ),
    (
        Kind::Duration,
        r"\b(?:\d+h)?\d+m\d+(?:\.\d+)?s\b|\b\d+\.\d+s\b|\b\d+(?:\.\d+)?(?:ms|us|µs|ns)\b",
    ),
    (
        Kind::Id,
        r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
    ),
    (
        Kind::Id,
        r"\b(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32}|[0-9a-f]{12,13})\b",
    ),
    (Kind::Address, r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b|\bfe80::[0-9a-f:]+"),
    (Kind::Address, r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b"),
    (Kind::Time, r"\b\d+:\d\d(?::\d\d(?:\.\d+)?)?\b"),
    (Kind::Size, r"\b\d+(?:\.\d+)? ?(?:[KMGT]i?B|[KMGT]|kB|B|bytes)\b"),
    (
        Kind::Name,
        r"\bpts/\d+\b|\bveth[0-9a-f]{4,}\b|\btmp\.[A-Za-z0-9]{6,12}\b|\bshim:[0-9a-f]{10}\b",
    ),
    (Kind::Number, r"\b\d+\b"),
];

static SHAPE: LazyLock<Regex> = LazyLock::new(|| {
    let groups: Vec<_> =
        SHAPES.iter().map(|(_, pattern)| format!("({pattern})")).collect();
    Regex::new(&groups.join("|")).expect("constant patterns")
});

/// A line, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// The text around the tokens, always one more than there are tokens.
    pub(crate) texts: Vec<&'a str>,
    pub(crate) tokens: Vec<(Kind, &'a str)>,
}

/// Takes a line apart into tokens and the text around them.
pub(crate) fn split(line: &str) -> Line<'_> {
    let mut parts = Line { texts: Vec::new(), tokens: Vec::new() };
    let mut end = 0;
    for found in SHAPE.captures_iter(line) {
        let token = found.get(0).expect("group 0 is the match");
        let group = found
            .iter()
            .skip(1)
            .position(|g| g.is_some())
            .expect("one group matched");
        parts.texts.push(&line[end..token.start()]);
        parts.tokens.push((SHAPES[group].0, token.as_str()));
        end = token.end();
    }
    parts.texts.push(&line[end..]);
    parts
}

impl Kind {
    /// Whether equal tokens have to stay equal, and different ones different.
    ///
    /// Not for time: two clocks read within one second agree by chance only.
    pub(crate) fn is_identity(self) -> bool {
        !matches!(self, Kind::Time | Kind::Duration)
    }
}

/// Inodes of namespaces: `PROC_DYNAMIC_FIRST` and the fixed ones of the initial namespaces just
/// below it. The last number of 32 bits is the length of an unlimited id map.
///
/// Source: linux/proc_ns.h, `PROC_IPC_INIT_INO`; fs/proc/generic.c, `PROC_DYNAMIC_FIRST`.
const NAMESPACE_INODES: RangeInclusive<u64> = 0xEFFF_FFF0..=0xFFFF_FFFE;

/// The smallest number that a page may show for a pid of the host.
const SMALLEST_PID: u64 = 100;

/// What the run knows about the machine's numbers, as evidence for "this one is a pid".
pub(crate) struct Machine {
    /// The newest pid when the chapter began.
    first_pid: u64,
    /// The process that adopts orphans: on the reader's machine that is pid 1.
    reaper: u64,
}

impl Machine {
    /// Takes note of the newest pid; the calling process is the one that adopts orphans.
    pub(crate) fn now() -> Machine {
        Machine {
            first_pid: newest_pid(),
            reaper: u64::from(std::process::id()),
        }
    }

    /// Tells whether `page` may stand for `run`: both are numbers that a kernel handed out.
    pub(crate) fn exchangeable(&self, page: &str, run: &str) -> bool {
        let (Ok(page), Ok(run)) = (page.parse(), run.parse()) else {
            return false;
        };
        if NAMESPACE_INODES.contains(&run) {
            return NAMESPACE_INODES.contains(&page);
        }
        page >= SMALLEST_PID
            && !NAMESPACE_INODES.contains(&page)
            && self.is_pid(run)
    }

    /// Tells whether the number is a namespace's inode.
    pub(crate) fn is_namespace(&self, run: &str) -> bool {
        run.parse().is_ok_and(|run| NAMESPACE_INODES.contains(&run))
    }

    /// Tells whether the number is the process that adopts orphans here, as pid 1 does elsewhere.
    pub(crate) fn is_reaper(&self, run: &str) -> bool {
        run.parse().is_ok_and(|run: u64| run == self.reaper)
    }

    /// A pid was given out since the chapter began, or is in use by a process that is no thread
    /// of the kernel: those have the numbers that exit codes have, too.
    fn is_pid(&self, number: u64) -> bool {
        let newest = newest_pid();
        let given_out = if self.first_pid <= newest {
            (self.first_pid..=newest).contains(&number)
        } else {
            number >= self.first_pid || number <= newest // pids began again at the lowest
        };
        let command =
            || fs::read(format!("/proc/{number}/cmdline")).unwrap_or_default();
        number > 1 && (given_out || !command().is_empty())
    }
}

/// The pid given out last, in any pid namespace below ours. Source: proc_loadavg(5), last field.
fn newest_pid() -> u64 {
    let loadavg = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let last = loadavg
        .split_whitespace()
        .next_back()
        .and_then(|field| field.parse().ok());
    last.expect("/proc/loadavg of every Linux ends with a pid")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(line: &str) -> Vec<(Kind, &str)> {
        split(line).tokens
    }

    #[test]
    fn what_differs_between_runs_is_recognised_by_shape() {
        let table = [
            ("mnt:[4026531841]", Kind::Number, "4026531841"),
            (
                "at 2026-11-23T18:00:00.123456789Z",
                Kind::Time,
                "2026-11-23T18:00:00.123456789Z",
            ),
            (
                "Mon Nov 23 18:32:41 UTC 2026",
                Kind::Time,
                "Mon Nov 23 18:32:41 UTC 2026",
            ),
            ("3f2504e04f89", Kind::Id, "3f2504e04f89"),
            ("3f2504e04f891 web", Kind::Id, "3f2504e04f891"),
            ("shim:3f2504e04f", Kind::Name, "shim:3f2504e04f"),
            ("10.88.0.7/16", Kind::Address, "10.88.0.7"),
            ("1.5M rootfs", Kind::Size, "1.5M"),
            ("pts/3 x", Kind::Name, "pts/3"),
        ];
        for (line, kind, token) in table {
            assert_eq!(kinds(line)[0], (kind, token), "{line}");
        }
    }

    #[test]
    fn a_number_that_is_no_pid_is_not_exchanged() {
        let machine = Machine { first_pid: newest_pid(), reaper: 7 };
        let never_a_pid = "99999999"; // above PID_MAX_LIMIT, 2^22
        assert!(!machine.exchangeable("137", never_a_pid));
        assert!(machine.exchangeable("4242", &std::process::id().to_string()));
        assert!(!machine.exchangeable("1", &std::process::id().to_string()));
    }

    #[test]
    fn the_length_of_an_id_map_is_no_namespace() {
        let machine = Machine { first_pid: newest_pid(), reaper: 7 };
        assert!(!machine.exchangeable("4026531841", "4294967295"));
    }
}
