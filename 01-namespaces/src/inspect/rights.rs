//! What a process may do: capabilities, no_new_privs and seccomp.

use super::page::{Section, row};
use super::process::Status;
use namespaces::capabilities::Capabilities;
use serde::{Serialize, Serializer};

#[derive(Debug, Serialize)]
pub(super) struct Rights {
    capabilities: Sets,
    no_new_privs: bool,
    seccomp: Seccomp,
}

/// The five sets of capabilities(7).
#[derive(Debug, Serialize)]
struct Sets {
    #[serde(serialize_with = "names")]
    effective: Capabilities,
    #[serde(serialize_with = "names")]
    permitted: Capabilities,
    #[serde(serialize_with = "names")]
    inheritable: Capabilities,
    #[serde(serialize_with = "names")]
    bounding: Capabilities,
    #[serde(serialize_with = "names")]
    ambient: Capabilities,
}

fn names<S: Serializer>(
    set: &Capabilities,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    set.names().serialize(serializer)
}

/// Which system calls pass, as far as the kernel tells: not which filter.
#[derive(Debug, Serialize)]
struct Seccomp {
    mode: &'static str,
    /// "Linux 5.9 (2020-10)"
    filters: Option<u32>,
}

impl Rights {
    pub(super) fn read(status: &Status) -> Self {
        let set = |name| {
            let bits = u64::from_str_radix(status.field(name), 16);
            Capabilities(bits.unwrap_or_default())
        };
        Self {
            capabilities: Sets {
                effective: set("CapEff"),
                permitted: set("CapPrm"),
                inheritable: set("CapInh"),
                bounding: set("CapBnd"),
                ambient: set("CapAmb"),
            },
            no_new_privs: status.field("NoNewPrivs") == "1",
            seccomp: Seccomp {
                mode: mode(status.field("Seccomp")),
                filters: status.numbers("Seccomp_filters").first().copied(),
            },
        }
    }

    pub(super) fn section(&self) -> Section {
        let sets = &self.capabilities;
        let yes = if self.no_new_privs { "yes" } else { "no" };
        Section {
            title: "rights".into(),
            rows: vec![
                row("effective", text(sets.effective)),
                row("permitted", text(sets.permitted)),
                row("inheritable", text(sets.inheritable)),
                row("bounding", text(sets.bounding)),
                row("ambient", text(sets.ambient)),
                row("no_new_privs", yes),
                row("seccomp", self.seccomp.text()),
            ],
        }
    }
}

impl Seccomp {
    fn text(&self) -> String {
        match self.filters {
            Some(number @ 1..) => format!("{}, {number} of them", self.mode),
            Some(0) | None => self.mode.into(),
        }
    }
}

/// Source: proc_pid_status(5), "Seccomp"
fn mode(number: &str) -> &'static str {
    match number {
        "0" => "disabled",
        "1" => "strict",
        "2" => "filter",
        _ => "unknown",
    }
}

/// Lists what is in a set or what is not, whichever is shorter.
fn text(set: Capabilities) -> String {
    let all = Capabilities(Capabilities::KNOWN.0 | set.0);
    let missing = Capabilities(all.0 & !set.0);
    let short = |set: Capabilities| {
        let names = set.names().join(",").to_lowercase();
        names.replace("cap_", "")
    };
    match (set.iter().count(), missing.iter().count()) {
        (0, _) => "none".into(),
        (_, 0) => "all".into(),
        (there, gone) if gone < there => format!("all but {}", short(missing)),
        _ => short(set),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_told_by_what_is_the_exception() {
        let all = Capabilities::KNOWN;
        assert_eq!(text(Capabilities(0)), "none");
        assert_eq!(text(all), "all");
        assert_eq!(text(Capabilities(all.0 & !1)), "all but chown");
        assert_eq!(text(Capabilities(0b100001)), "chown,kill");
    }
}
