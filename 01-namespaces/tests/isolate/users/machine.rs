//! The user is ann, 4242; she is nowhere but in a test's own /etc, which a
//! private mount namespace lays over the machine's.

use crate::run::ISOLATE;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use testkit::{Need, Scratch};

/// What the user needs to be there.
pub(super) const NEEDS: [Need; 4] = [
    Need::Root,
    Need::Program("unshare"),
    Need::Program("setpriv"),
    Need::Program("newuidmap"),
];

/// The machine with another /etc/passwd, /etc/subuid and /etc/subgid.
pub(super) struct Machine {
    pub(super) scratch: Scratch,
}

impl Machine {
    pub(super) fn new(subuid: &str, subgid: &str) -> Self {
        let scratch = Scratch::new();
        let ann = "root:x:0:0::/:/bin/sh\nann:x:4242:4242::/:/bin/sh\n";
        let files = [("passwd", ann), ("subuid", subuid), ("subgid", subgid)];
        for (name, text) in files {
            fs::write(scratch.path().join(name), text).unwrap();
        }
        // Not by ourselves: a process that another test forks meanwhile would
        // hold our descriptor, and a file open for writing is not executed.
        let mut cp = Command::new("cp");
        let cp = cp.arg(ISOLATE).arg(scratch.path().join("isolate"));
        assert!(cp.status().unwrap().success());
        Self { scratch }
    }

    pub(super) fn path(&self) -> &Path {
        self.scratch.path()
    }

    /// Runs a command line as ann, with isolate(1) in PATH.
    pub(super) fn ann(&self, line: &str) -> Output {
        let script = "for file in passwd subuid subgid; do \
                          mount --bind $0/$file /etc/$file || exit; \
                      done; \
                      cd /; export PATH=$0:$PATH; \
                      exec setpriv --reuid 4242 --regid 4242 --clear-groups \
                          sh -c \"$1\"";
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "sh", "-c", script]);
        unshare.arg(self.path()).arg(line).output().unwrap()
    }

    /// The same; isolate(1) itself has to refuse, in one line and a hint.
    pub(super) fn refusal(&self, line: &str) -> String {
        let output = self.ann(line);
        assert_eq!(output.status.code(), Some(125), "{output:?}");
        assert!(output.stdout.is_empty(), "the command ran: {output:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.contains("\nhint: "), "{text}");
        text
    }
}

/// ann has a thousand ids of each kind.
pub(super) fn machine() -> Machine {
    Machine::new("ann:200000:1000\n", "ann:210000:1000\n")
}
