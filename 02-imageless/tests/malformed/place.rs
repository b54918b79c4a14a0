//! Where a configuration is tried: namespaces of its own, because one that
//! misses a namespace is the host's there.

use std::fs;
use std::process::{Command, Stdio};
use testkit::{Bundle, Scratch, subreaper};

const OURS: &str = "the scratch directory is ours";

/// Prints how `create` went, what it said, and what is still there when the
/// container was deleted: mounts, and state.
const SCRIPT: &str = r#"
count() { wc -l </proc/self/mountinfo; }
mounts=$(count)
timeout -s KILL 20 "$0" --root "$1" create --bundle "$2" "$3" \
    </dev/null >/dev/null 2>"$2/said"
echo $?
timeout -s KILL 20 "$0" --root "$1" delete --force "$3" >/dev/null 2>&1
test $(count) = $mounts || cat /proc/self/mountinfo
ls -A "$1"
"#;

/// A bundle, and namespaces around the runtime.
pub(crate) struct Place {
    bundle: Bundle,
    // Last: it looks for leaks when it is dropped.
    scratch: Scratch,
}

/// How it went with one configuration.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The exit code of `create`; 137 if it hung.
    pub(crate) code: Option<i32>,
    pub(crate) message: String,
    /// What stayed behind.
    pub(crate) left: String,
}

impl Place {
    pub(crate) fn new(scratch: Scratch) -> Self {
        subreaper();
        let bundle = Bundle::busybox(&scratch, "box", &[]);
        Self { bundle, scratch }
    }

    pub(crate) fn create_and_delete(&self, config: &[u8]) -> Outcome {
        let said = self.bundle.path().join("said");
        fs::write(self.bundle.path().join("config.json"), config).expect(OURS);
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "--uts", "--ipc", "--net", "sh", "-c"]);
        unshare.arg(SCRIPT).arg(env!("CARGO_BIN_EXE_imageless"));
        unshare.arg(self.scratch.state_root()).arg(self.bundle.path());
        unshare.arg(self.bundle.id()).stdin(Stdio::null());
        let output = unshare.output().expect("util-linux is everywhere");
        let output = String::from_utf8_lossy(&output.stdout).into_owned();
        let (code, left) = output.split_once('\n').unwrap_or_default();
        let message = fs::read(said).unwrap_or_default();
        Outcome {
            code: code.parse().ok(),
            message: String::from_utf8_lossy(&message).into_owned(),
            left: left.trim().to_owned(),
        }
    }
}
