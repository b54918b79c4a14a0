//! Descriptors of the host that are still open in a process which runs in the
//! container: each is a way out.

use crate::careless::{careless, tools};
use crate::driver::{OURS, on_each_runtime, on_ours};
use serde_json::json;
use std::fs::{self, File};
use testkit::eventually;

/// More than any runtime has open.
const NUMBERS: std::ops::Range<u32> = 0..24;

#[test]
fn by_a_careless_descriptor_the_working_directory_is_on_the_host() {
    if !tools() {
        return;
    }
    on_ours(&["true"], |driver| {
        let said = careless(
            driver,
            "echo secret >$S/secret && mount -t proc proc $R/proc && \
             exec 7<$S && chroot $R sh -c 'cd /proc/self/fd/7 && cat secret'",
        );
        assert_eq!(said, "secret\n");
    });
}

/// CVE-2024-21626, in `run`: an image with `WORKDIR /proc/self/fd/7`.
#[test]
fn no_descriptor_is_a_working_directory_on_the_host() {
    on_ours(&["pwd"], |driver| {
        for fd in NUMBERS {
            let cwd = format!("/proc/self/fd/{fd}");
            driver.set("/process/cwd", json!(cwd));
            let answer = driver.fails(&["run"]);
            let named = answer.stderr.contains("config.json: process.cwd: ");
            assert!(named, "{cwd}: {answer:?}");
        }
    });
}

/// CVE-2024-21626, in `exec`: `--cwd`, and a link of the image that is one.
#[test]
fn nor_does_exec_have_one() {
    on_each_runtime(&["sleep", "60"], |driver| {
        driver.ok(&["run", "--detach"]);
        let link = driver.bundle.rootfs().join("link");
        for fd in NUMBERS {
            let magic = format!("/proc/self/fd/{fd}");
            let _ = fs::remove_file(&link); // not there the first time
            std::os::unix::fs::symlink(&magic, &link).expect(OURS);
            for cwd in [&magic, "/link"] {
                let args = ["exec", "--cwd", cwd, driver.id(), "pwd"];
                let answer = driver.call(&args);
                assert_eq!(answer.status.code(), Some(255), "{answer:?}");
            }
        }
        driver.ok(&["delete", "--force"]);
    });
}

/// CVE-2016-9962: a container that watches for new processes, and looks into
/// those that come in before they have become a program.
#[test]
fn a_container_cannot_look_into_a_process_that_comes_in() {
    on_ours(&[], |driver| {
        driver.set_script(
            "while :; do for p in /proc/[0-9]*; do
               read -r name <$p/comm && case $name in imageless*)
                 echo $name >>/tmp/met
                 for f in $p/fd/*; do readlink $f >>/tmp/seen; done;; esac
             done 2>/dev/null; done",
        );
        driver.ok(&["run", "--detach"]);
        let inside = |command: &[&str]| {
            driver.call(&[&["exec", driver.id()], command].concat()).stdout
        };
        let what = "the container meets one that comes in";
        eventually(crate::driver::LIMIT, what, || {
            let met = inside(&["cat", "/tmp/met"]);
            (met.lines().count() > 9).then_some(())
        });
        // A file is its standard output: it had become its program by then.
        let seen = inside(&["cat", "/tmp/seen"]);
        let ours = |line: &&str| line.contains(":[");
        assert_eq!(seen.lines().find(ours), None, "{seen}");
        driver.ok(&["delete", "--force"]);
    });
}

/// CVE-2016-9962, the other way round: init, which waits for `start`, holds
/// nothing of the host but the caller's three and its way to `start`.
#[test]
fn an_init_that_waits_has_no_directory_of_the_host_open() {
    on_ours(&["sleep", "60"], |driver| {
        let _secret = File::open(driver.scratch.path()).expect(OURS);
        driver.ok(&["create"]);
        let dir = format!("/proc/{}/fd", driver.state()["pid"]);
        for entry in fs::read_dir(dir).expect("we are root") {
            let link = entry.expect("init waits").path();
            let is_dir = fs::metadata(&link).is_ok_and(|file| file.is_dir());
            assert!(!is_dir, "{link:?}: {:?}", fs::read_link(&link));
        }
        driver.ok(&["delete"]);
    });
}
