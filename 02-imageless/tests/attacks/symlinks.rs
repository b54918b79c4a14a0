//! A mount's target in a volume that another container is changing: between the
//! look at a path and its use, a directory becomes a link to the host.

use crate::careless::{careless, tools};
use crate::driver::{Driver, OURS, on_ours};
use crate::racer::Racer;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Enough for the careless one to lose many times over.
const TRIES: u32 = 60;

/// A volume with a directory, and a link that leads to a directory of the host
/// from inside (where it does not exist) and outside.
struct Volume {
    host: PathBuf,
    racer: Racer,
}

impl Volume {
    fn new(driver: &Driver) -> Self {
        let path = |name: &str| driver.scratch.path().join(name);
        let (host, volume) = (path("host"), path("volume"));
        for dir in [&host, &volume, &volume.join("dir"), &path("source")] {
            fs::create_dir(dir).expect(OURS);
        }
        fs::write(path("source/mark"), "here\n").expect(OURS);
        symlink(&host, volume.join("link")).expect(OURS);
        let racer = Racer::exchanging(volume.join("dir"), volume.join("link"));
        Self { host, racer }
    }

    fn host_is_unchanged(&self) -> bool {
        fs::read_dir(&self.host).expect(OURS).next().is_none()
    }
}

/// Mounts the volume, then something in the directory that is exchanged.
fn mounts(driver: &Driver, file: bool) -> Value {
    let bind = |from: &str, to: &str| {
        json!({"destination": to,
        "type": "bind", "source": driver.scratch.path().join(from),
        "options": ["rbind"]})
    };
    let (source, target) = match file {
        true => ("source/mark", "/volume/dir/new/mark"),
        false => ("source", "/volume/dir/new/source"),
    };
    json!([bind("volume", "/volume"), bind(source, target)])
}

#[test]
fn by_a_careless_check_of_the_path_directories_are_made_on_the_host() {
    if !tools() {
        return;
    }
    on_ours(&["true"], |driver| {
        let volume = Volume::new(driver);
        let rounds = (0..TRIES).take_while(|_| volume.host_is_unchanged());
        let rounds = rounds.map(|_| {
            careless(
                driver,
                "mkdir -p $R/volume && mount --bind $S/volume $R/volume && \
                 for i in 1 2 3 4 5 6 7 8 9; do \
                   case $(realpath $R/volume/dir) in $R/*) \
                     mkdir -p $R/volume/dir/new;; esac; done",
            )
        });
        let rounds = rounds.count();
        assert!(!volume.host_is_unchanged(), "not in {rounds} rounds");
    });
}

/// CVE-2021-30465, CVE-2024-45310.
#[test]
fn a_target_that_is_exchanged_meanwhile_changes_nothing_on_the_host() {
    on_ours(&["cat", "/volume/dir/new/source/mark"], |driver| {
        let volume = Volume::new(driver);
        let mut succeeded = 0;
        for n in 0..TRIES {
            driver.set("/mounts", mounts(driver, n % 2 == 0));
            let answer = driver.verb(&["create"]);
            assert!(volume.host_is_unchanged(), "{answer:?}");
            if answer.status.success() {
                succeeded += 1;
                driver.ok(&["delete"]);
            }
        }
        assert!(succeeded > 0, "the attacker has won by refusal each time");
        assert!(volume.racer.exchanges() > u64::from(TRIES));
    });
}

/// Makes a symlink of the image's, to a place on the host where nothing is.
fn lead_out(driver: &Driver, text: &str) -> PathBuf {
    let host = driver.scratch.path().join("host");
    fs::create_dir_all(&host).expect(OURS);
    let link = driver.bundle.rootfs().join("link");
    // The one of the round before, if there was one.
    let _ = fs::remove_file(&link);
    symlink(text.replace("HOST", &host.to_string_lossy()), link).expect(OURS);
    host
}

fn is_empty(dir: &Path) -> bool {
    fs::read_dir(dir).expect(OURS).next().is_none()
}

#[test]
fn by_a_careless_touch_a_link_has_a_file_made_on_the_host() {
    if !tools() {
        return;
    }
    on_ours(&["true"], |driver| {
        let host = lead_out(driver, "HOST/new");
        careless(driver, "touch $R/link");
        assert!(host.join("new").exists());
    });
}

/// CVE-2024-45310 without a race: a target that is not there is made where the
/// link leads inside the root, or not at all.
#[test]
fn a_target_that_leads_out_of_the_root_is_not_made_on_the_host() {
    on_ours(&["cat", "/link"], |driver| {
        let mark = driver.scratch.path().join("mark");
        fs::write(&mark, "here\n").expect(OURS);
        let proc = json!({"destination": "/proc", "type": "proc"});
        let bind = json!({"destination": "/link", "source": mark, "options": ["bind"]});
        driver.set("/mounts", json!([proc, bind]));
        let up = format!("{}HOST/newer", "../".repeat(20));
        for text in ["HOST/new", &up] {
            let host = lead_out(driver, text);
            assert_eq!(driver.output(), "here\n", "{text}");
            assert!(is_empty(&host), "{text}");
        }
        for text in ["/proc/1/rootHOST/new", "/proc/self/cwd/../host/new"] {
            let host = lead_out(driver, text);
            driver.fails(&["run"]);
            assert!(is_empty(&host), "{text}");
        }
    });
}

/// CVE-2021-30465, the other end of it: what was mounted read-only is so, or
/// there is no container. Both names lead to a mount, and if the flags go to
/// the wrong one, the source can be written.
#[test]
fn a_read_only_bind_is_never_writable_whatever_is_exchanged() {
    on_ours(&[], |driver| {
        let path = |name: &str| driver.scratch.path().join(name);
        for dir in ["volume/one/new", "volume/two/new", "closed", "open"] {
            fs::create_dir_all(path(dir)).expect(OURS);
        }
        let bind = |from: &str, to: &str, mode: &str| {
            json!({
            "destination": to, "type": "bind", "source": path(from),
            "options": ["rbind", mode]})
        };
        driver.set(
            "/mounts",
            json!([
                bind("volume", "/volume", "rw"),
                bind("open", "/volume/one/new", "rw"),
                bind("open", "/volume/two/new", "rw"),
                bind("closed", "/volume/one/new", "ro")
            ]),
        );
        driver.set_script(
            "touch /volume/one/new/x /volume/two/new/x 2>/dev/null; true",
        );
        let racer = Racer::exchanging(path("volume/one"), path("volume/two"));
        for _ in 0..TRIES {
            let answer = driver.verb(&["run"]);
            let written = path("closed/x").exists();
            assert!(!written, "{answer:?} {}", racer.exchanges());
        }
    });
}
