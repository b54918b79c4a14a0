//! The inheritable set: not empty, it gives a program with file capabilities
//! more than its user has.

use crate::careless::careless;
use crate::driver::{on_each_runtime, on_ours};
use serde_json::json;
use testkit::{Need, requires};

/// In /proc/self/status.
const EMPTY: &str = "CapInh:\t0000000000000000\n";

const SHOW: [&str; 3] = ["grep", "CapInh", "/proc/self/status"];

#[test]
fn by_a_careless_set_an_ordinary_user_inherits() {
    if !requires(&[Need::Root, Need::Program("setpriv")]) {
        return;
    }
    on_ours(&["true"], |driver| {
        let said = careless(
            driver,
            "setpriv --inh-caps +chown --reuid 5 grep CapInh /proc/self/status",
        );
        assert_ne!(said, EMPTY);
    });
}

/// CVE-2022-24769, CVE-2022-27649, CVE-2022-27650, CVE-2022-29162,
/// CVE-2025-27612: in `run` of a configuration that does not ask, and in `exec`,
/// also with `--cap` and as another user.
#[test]
fn nothing_is_inheritable_unless_asked_for() {
    on_each_runtime(&SHOW, |driver| {
        assert_eq!(driver.output(), EMPTY, "{}", driver.runtime.name);
        driver.set("/process/args", json!(["sleep", "60"]));
        driver.ok(&["run", "--detach"]);
        for options in [
            &[][..],
            &["--cap", "CAP_NET_ADMIN"],
            &["--user", "5:5"],
            &["--user", "5:5", "--cap", "CAP_NET_ADMIN"],
        ] {
            let args = [&["exec"], options, &[driver.id()], &SHOW];
            let answer = driver.call(&args.concat());
            assert_eq!(answer.stdout, EMPTY, "{options:?} {answer:?}");
        }
        driver.ok(&["delete", "--force"]);
    });
}
