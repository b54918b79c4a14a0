//! A bundle that every OCI runtime accepts: a root filesystem of one static
//! busybox, and a plain config.json.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use oci_spec::runtime::Spec;

use crate::Scratch;

/// Directories of the root filesystem; those for mounts are there so that a
/// read-only root works too.
const DIRECTORIES: [&str; 9] =
    ["bin", "dev", "etc", "proc", "root", "run", "sys", "tmp", "var"];

const FILES: [(&str, &str); 2] = [
    ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
    ("etc/group", "root:x:0:\n"),
];

/// A bundle on disk, with the container id that belongs to it.
#[derive(Debug)]
pub struct Bundle {
    id: String,
    path: PathBuf,
}

impl Bundle {
    /// Makes a bundle with Debian's static busybox as its root filesystem and
    /// `args` as its process.
    ///
    /// Every busybox applet is a command on the container's `PATH`. The root
    /// filesystem is writable, the process is root with few capabilities and no
    /// terminal, and the cgroup is named by [`Bundle::id`].
    ///
    /// # Panics
    /// If `/bin/busybox` is missing (package busybox-static), or a bundle of
    /// that name exists.
    pub fn busybox(scratch: &Scratch, name: &str, args: &[&str]) -> Bundle {
        let bundle =
            Bundle { id: scratch.id(name), path: scratch.path().join(name) };
        bundle.make_rootfs();
        bundle.write(&plain_spec(&bundle.id, args));
        bundle
    }

    /// Rewrites config.json through `change`.
    ///
    /// # Panics
    /// If config.json cannot be read or written.
    pub fn edit(&self, change: impl FnOnce(&mut Spec)) {
        let mut spec = Spec::load(self.config())
            .expect("config.json was written by this type");
        change(&mut spec);
        self.write(&spec);
    }

    /// Returns a container id that is unique on the machine.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the bundle's directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the root filesystem's directory.
    pub fn rootfs(&self) -> PathBuf {
        self.path.join("rootfs")
    }

    fn config(&self) -> PathBuf {
        self.path.join("config.json")
    }

    fn write(&self, spec: &Spec) {
        spec.save(self.config()).expect("the scratch directory is ours");
    }

    fn make_rootfs(&self) {
        fs::create_dir(&self.path)
            .expect("each bundle of a scratch has its own name");
        for directory in DIRECTORIES {
            fs::create_dir_all(self.rootfs().join(directory))
                .expect("the bundle is ours");
        }
        for (file, text) in FILES {
            fs::write(self.rootfs().join(file), text)
                .expect("the bundle is ours");
        }
        let bin = self.rootfs().join("bin");
        fs::copy("/bin/busybox", bin.join("busybox")).expect(
            "/bin/busybox is there\nhint: apt-get install busybox-static",
        );
        for applet in applets() {
            symlink("busybox", bin.join(applet))
                .expect("applets have distinct names");
        }
    }
}

/// Starts from the spec's usual mounts, namespaces and masks, and takes out
/// what differs between machines.
fn plain_spec(id: &str, args: &[&str]) -> Spec {
    let mut spec = Spec::default();
    spec.set_version("1.0.2".to_owned()).set_hostname(Some("box".to_owned()));
    spec.root_mut()
        .as_mut()
        .expect("the default has a root")
        .set_readonly(Some(false));

    let process =
        spec.process_mut().as_mut().expect("the default has a process");
    process.set_args(Some(args.iter().map(|&arg| arg.to_owned()).collect()));
    process.set_rlimits(None); // raising a hard limit takes CAP_SYS_RESOURCE
    let mut capabilities = process.capabilities().clone().unwrap_or_default();
    capabilities.set_ambient(None).set_inheritable(None);
    process.set_capabilities(Some(capabilities));

    let linux =
        spec.linux_mut().as_mut().expect("the default has a Linux part");
    linux.set_cgroups_path(Some(PathBuf::from("/").join(id)));
    spec
}

fn applets() -> &'static [String] {
    static APPLETS: OnceLock<Vec<String>> = OnceLock::new();
    APPLETS.get_or_init(|| {
        let output = Command::new("/bin/busybox").arg("--list").output();
        let list = output
            .expect("/bin/busybox runs\nhint: apt-get install busybox-static")
            .stdout;
        let names = String::from_utf8_lossy(&list).into_owned();
        names
            .lines()
            .filter(|name| *name != "busybox")
            .map(str::to_owned)
            .collect()
    })
}
