//! The terminal: which file becomes /dev/console, and whose ptmx is opened.

use crate::careless::{careless, tools};
use crate::driver::{Driver, LIMIT, OURS, on_ours};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::json;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Stdio;
use testkit::eventually;

#[test]
fn by_a_careless_bind_a_link_in_dev_pts_chooses_what_the_console_is() {
    if !tools() {
        return;
    }
    on_ours(&["true"], |driver| {
        let pts = driver.bundle.rootfs().join("dev/pts");
        fs::create_dir(&pts).expect(OURS);
        fs::write(driver.scratch.path().join("secret"), "secret\n")
            .expect(OURS);
        symlink("../../../../secret", pts.join("0")).expect(OURS);
        let said = careless(
            driver,
            "touch $R/dev/console && \
             mount --bind $R/dev/pts/0 $R/dev/console && cat $R/dev/console",
        );
        assert_eq!(said, "secret\n");
    });
}

/// Puts a file that is no devpts' in the place of ptmx.
type Fake = fn(&Path);

/// CVE-2025-52565: nothing is mounted on /dev/pts, and the image has brought
/// what is there: a file, a link to another terminal's ptmx, a FIFO.
#[test]
fn a_ptmx_that_is_no_devptss_is_refused_at_once() {
    let fakes: [Fake; 3] = [
        |ptmx| fs::write(ptmx, "").expect(OURS),
        |ptmx| symlink("/dev/tty", ptmx).expect(OURS),
        |ptmx| mkfifo(ptmx, Mode::S_IRWXU).expect(OURS),
    ];
    for fake in fakes {
        on_ours(&["true"], |driver| {
            let pts = driver.bundle.rootfs().join("dev/pts");
            fs::create_dir(&pts).expect(OURS);
            fake(&pts.join("ptmx"));
            driver.set("/process/terminal", json!(true));
            driver.set("/mounts", json!([]));
            refused_at_once(driver);
        });
    }
}

fn refused_at_once(driver: &Driver) {
    let mut run = driver.command(&["run", driver.id()]);
    let said = driver.scratch.path().join("said");
    run.stderr(fs::File::create(&said).expect(OURS)).stdout(Stdio::null());
    let mut run = run.spawn().expect("the runtime was found");
    let status = eventually(LIMIT, "it is refused", || {
        run.try_wait().expect("it is ours")
    });
    let said = fs::read_to_string(said).expect(OURS);
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("config.json: process.terminal: "), "{said}");
}

/// CVE-2025-52565: /dev/console of the image leads out of it.
#[test]
fn a_console_that_is_a_link_leads_to_nothing_of_the_host() {
    on_ours(&["true"], |driver| {
        let victim = driver.scratch.path().join("victim");
        let console = driver.bundle.rootfs().join("dev/console");
        symlink(&victim, console).expect(OURS);
        let devpts = json!({"destination": "/dev/pts", "type": "devpts",
            "source": "devpts", "options": ["newinstance", "ptmxmode=0666"]});
        driver.set("/process/terminal", json!(true));
        driver.set("/mounts", json!([devpts]));
        driver.verb(&["run"]);
        assert!(!victim.exists());
    });
}
