//! The guest's whole file system: busybox, and programs of this machine at their own paths with the libraries that they need.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Users for the tests that drop root, and what a systemd looks for.
const ETC: [(&str, &str); 5] = [
    (
        "passwd",
        "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n\
         messagebus:x:100:100::/:/bin/sh\n",
    ),
    ("group", "root:x:0:\nnogroup:x:65534:\nmessagebus:x:100:\n"),
    // Empty: tests lay their own over them.
    ("subuid", ""),
    ("subgid", ""),
    // Without one, systemd takes the machine for a new one and sets it up.
    ("machine-id", "00000000000000000000000000000001\n"),
];

/// A directory that becomes an initramfs.
pub(super) struct Initramfs {
    root: PathBuf,
}

impl Initramfs {
    /// Starts anew in `root` with busybox, the two init scripts and a few files in `/etc`.
    pub(super) fn new(root: &Path) -> Result<Self> {
        if root.exists() {
            fs::remove_dir_all(root)
                .with_context(|| format!("remove {root:?}"))?;
        }
        let this = Self { root: root.to_owned() };
        for dir in ["bin", "etc", "root", "usr"] {
            fs::create_dir_all(root.join(dir))
                .with_context(|| format!("mkdir {dir} in {root:?}"))?;
        }
        this.copy(Path::new("/bin/busybox"))?;
        symlink("busybox", root.join("bin/sh"))?;
        this.script("init", include_str!("init.sh"))?;
        this.script("machine", include_str!("machine.sh"))?;
        for (name, text) in ETC {
            fs::write(root.join("etc").join(name), text)?;
        }
        Ok(this)
    }

    /// Adds programs, each by its file here and its path inside, with the
    /// shared libraries that ldd(1) names; a static one has none.
    pub(super) fn with_programs<'a>(
        self,
        programs: impl IntoIterator<Item = (&'a PathBuf, &'a PathBuf)>,
    ) -> Result<Self> {
        for (file, path) in programs {
            self.copy_to(file, path)?;
            let output =
                Command::new("ldd").arg(file).output().context("ldd")?;
            let listing = String::from_utf8_lossy(&output.stdout);
            for library in
                listing.split_whitespace().filter(|word| word.starts_with('/'))
            {
                self.copy(Path::new(library))?;
            }
        }
        Ok(self)
    }

    /// Adds files at their own paths.
    pub(super) fn with_files(self, files: &[&str]) -> Result<Self> {
        files.iter().try_for_each(|file| self.copy(Path::new(file)))?;
        Ok(self)
    }

    /// Adds kernel modules, which the guest loads in the order of their names.
    pub(super) fn with_modules(self, modules: &[PathBuf]) -> Result<Self> {
        let dir = self.root.join("modules");
        fs::create_dir_all(&dir).with_context(|| format!("mkdir({dir:?})"))?;
        for module in modules {
            let name = module.file_name().context("a module without a name")?;
            fs::copy(module, dir.join(name))
                .with_context(|| format!("copy {module:?}"))?;
        }
        Ok(self)
    }

    /// Adds the script that the guest runs once it is a machine.
    pub(super) fn with_lane(self, script: &str) -> Result<Self> {
        self.script("lane", &format!("#!/bin/sh\n{script}"))?;
        Ok(self)
    }

    /// Writes the archive that the kernel unpacks.
    pub(super) fn pack(&self, archive: &Path) -> Result<PathBuf> {
        let mut find = Command::new("find")
            .arg(".")
            .current_dir(&self.root)
            .stdout(Stdio::piped())
            .spawn()
            .context("find")?;
        let names = find.stdout.take().context("find: no standard output")?;
        let status = Command::new("/bin/busybox")
            .args(["cpio", "-o", "-H", "newc", "-R", "0:0"])
            .current_dir(&self.root)
            .stdin(names)
            .stdout(
                File::create(archive)
                    .with_context(|| format!("create {archive:?}"))?,
            )
            .stderr(Stdio::null())
            .status()
            .context("busybox cpio")?;
        find.wait().context("find")?;
        if status.success() {
            Ok(archive.to_owned())
        } else {
            bail!("busybox cpio: {status}")
        }
    }

    fn copy(&self, file: &Path) -> Result<()> {
        self.copy_to(file, file)
    }

    /// Copies a file to a path inside, once; without debugging symbols, which the guest's memory would have to hold.
    fn copy_to(&self, file: &Path, path: &Path) -> Result<()> {
        let inside = self.root.join(path.strip_prefix("/").unwrap_or(path));
        if inside.exists() {
            return Ok(());
        }
        let dir = inside.parent().context("a file without a directory")?;
        fs::create_dir_all(dir).with_context(|| format!("mkdir({dir:?})"))?;
        let strip = Command::new("strip")
            .arg("-o")
            .arg(&inside)
            .arg(file)
            .stderr(Stdio::null())
            .status();
        if !strip.is_ok_and(|status| status.success()) {
            fs::copy(file, &inside)
                .with_context(|| format!("copy {file:?}"))?;
        }
        // strip(1) leaves out the set-user-ID bit, by which newuidmap(1) works.
        let mode = fs::metadata(file)
            .with_context(|| format!("stat({file:?})"))?
            .permissions();
        fs::set_permissions(&inside, mode)
            .with_context(|| format!("chmod({inside:?})"))
    }

    fn script(&self, name: &str, text: &str) -> Result<()> {
        let path = self.root.join(name);
        fs::write(&path, text).with_context(|| format!("write {path:?}"))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }
}
