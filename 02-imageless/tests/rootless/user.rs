//! ann, 4242, who has subordinate ids in a test's own /etc, which a private
//! mount namespace lays over the machine's; and her container.

use nix::unistd::Pid;
use std::fs;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use testkit::spec::Spec;
use testkit::{
    Need, RuntimeUnderTest, Scratch, bin, eventually, requires, runtimes,
    subreaper,
};

/// Why an operation on the scratch directory cannot fail.
const OURS: &str = "the scratch directory is ours";

pub(crate) const ANN: u32 = 4242;

const ETC: [(&str, &str); 3] = [
    ("passwd", "root:x:0:0::/:/bin/sh\nann:x:4242:4242::/:/bin/sh\n"),
    ("subuid", "ann:200000:1000\n"),
    ("subgid", "ann:210000:1000\n"),
];

/// Becomes ann, in the directory $0 and the cgroups $CGROUPS, and calls the
/// rest of the arguments.
const BECOME_ANN: &str = "for file in passwd subuid subgid; do \
        mount --bind $0/$file /etc/$file || exit; \
    done; \
    for dir in $CGROUPS; do echo $$ > $dir/cgroup.procs || exit; done; \
    cd $0; export XDG_RUNTIME_DIR=$0/run; \
    exec setpriv --reuid 4242 --regid 4242 --clear-groups \"$@\"";

/// Runs `test` with the reference and then with ours.
pub(crate) fn on_each_runtime(test: impl Fn(&mut User)) {
    let programs =
        ["runc", "unshare", "setpriv", "newuidmap"].map(Need::Program);
    let needs = [&[Need::Root, Need::UserNamespaces], &programs[..]].concat();
    if !requires(&needs) {
        return;
    }
    subreaper();
    for runtime in runtimes() {
        test(&mut User::new(runtime));
    }
}

/// An ordinary user with a bundle and a runtime.
pub(crate) struct User {
    runtime: RuntimeUnderTest,
    id: String,
    /// The directories of the cgroups that she is in, if not in ours.
    cgroups: Vec<PathBuf>,
    // Last: it looks for leaks when it is dropped.
    scratch: Scratch,
}

impl User {
    fn new(runtime: RuntimeUnderTest) -> Self {
        let scratch = Scratch::new();
        let path = |name: &str| scratch.path().join(name);
        for (name, text) in ETC {
            fs::write(path(name), text).expect(OURS);
        }
        for dir in [path("run"), scratch.state_root()] {
            fs::create_dir_all(&dir).expect(OURS);
            chown(&dir, Some(ANN), Some(ANN)).expect("we are root");
        }
        chown(scratch.path(), Some(ANN), Some(ANN)).expect("we are root");
        // The build's own directory may be closed to her. By cp(1), because a
        // process that another test forks meanwhile would hold our descriptor,
        // and a file open for writing is not executed.
        for program in [bin("imageless"), runtime.program.clone()] {
            let mut cp = Command::new("cp");
            let cp = cp.arg(program).arg(scratch.path()).status();
            assert!(cp.expect("cp is everywhere").success());
        }
        let id = scratch.id("box");
        let user = Self { runtime, id, cgroups: Vec::new(), scratch };
        let line = "imageless bundle --rootless -o box \
                    sh id cat awk sleep mkdir true -- sh";
        assert_eq!(user.ann("./imageless", line).0, Some(0));
        user
    }

    /// Tells whether this is our runtime, whose words we know.
    pub(crate) fn is_ours(&self) -> bool {
        self.runtime.name == "imageless"
    }

    /// Moves her to other cgroups: their directories, one on v2.
    pub(crate) fn live_in(&mut self, cgroups: Vec<PathBuf>) {
        self.cgroups = cgroups;
    }

    /// The container's id. The test's tag is in it.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Rewrites config.json through `change`.
    pub(crate) fn edit(&self, change: impl FnOnce(&mut Spec)) {
        let config = self.scratch.path().join("box/config.json");
        let mut spec = Spec::load(&config).expect("it was written by ours");
        change(&mut spec);
        spec.save(&config).expect(OURS);
    }

    /// Runs a script in a new container; exit code and all that is said.
    pub(crate) fn run(&self, script: &str) -> (Option<i32>, String) {
        self.give(script);
        self.verb_with("run", &["--bundle", "box"], &[])
    }

    /// Starts a container with a script and does not wait for it.
    pub(crate) fn start(&self, script: &str) {
        self.give(script);
        let options = ["--detach", "--bundle", "box"];
        let (code, said) = self.verb_with("run", &options, &[]);
        assert_eq!(code, Some(0), "{said}");
    }

    /// Creates a container with a script that is not started.
    pub(crate) fn create(&self, script: &str) {
        self.give(script);
        let (code, said) = self.verb_with("create", &["--bundle", "box"], &[]);
        assert_eq!(code, Some(0), "{said}");
    }

    /// Calls a verb on the container.
    pub(crate) fn verb(
        &self,
        verb: &str,
        args: &[&str],
    ) -> (Option<i32>, String) {
        self.verb_with(verb, &[], args)
    }

    /// The pid of the container's first process.
    pub(crate) fn init(&self) -> Pid {
        let (_, said) = self.verb("state", &[]);
        let state: serde_json::Value =
            serde_json::from_str(&said).expect(&said);
        let pid = state["pid"].as_i64().expect("it has one");
        Pid::from_raw(i32::try_from(pid).expect("pids are small"))
    }

    /// Waits until the container has ended.
    pub(crate) fn wait_until_stopped(&self) {
        eventually(Duration::from_secs(10), "the container has ended", || {
            self.verb("state", &[]).1.contains("stopped").then_some(())
        });
    }

    fn give(&self, script: &str) {
        self.edit(|spec| {
            let process = spec.process_mut().as_mut().expect("it has one");
            let args = ["sh", "-c", script].map(str::to_owned);
            process.set_args(Some(args.into()));
        });
    }

    /// The same with options before the id.
    pub(crate) fn verb_with(
        &self,
        verb: &str,
        options: &[&str],
        args: &[&str],
    ) -> (Option<i32>, String) {
        let program = self.program();
        let root = self.scratch.state_root();
        let root = root.to_str().expect("our paths are text");
        let before = [&["--root", root, verb], options, &[&self.id]].concat();
        self.call(&program, &[&before, args].concat())
    }

    fn program(&self) -> PathBuf {
        let name = self.runtime.program.file_name().expect("a program");
        self.scratch.path().join(name)
    }

    fn ann(&self, program: &str, line: &str) -> (Option<i32>, String) {
        let args: Vec<_> = line.split_whitespace().skip(1).collect();
        self.call(&self.scratch.path().join(program), &args)
    }

    fn call(
        &self,
        program: &std::path::Path,
        args: &[&str],
    ) -> (Option<i32>, String) {
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "sh", "-c", BECOME_ANN]);
        unshare.arg(self.scratch.path()).arg(program).args(args);
        let cgroups = self.cgroups.iter().map(|dir| dir.display().to_string());
        unshare.env("CGROUPS", cgroups.collect::<Vec<_>>().join(" "));
        // Files, not pipes: a container that goes on would hold a pipe open.
        let said = self.scratch.path().join("said");
        let file = fs::File::create(&said).expect(OURS);
        let both = file.try_clone().expect("a descriptor is left");
        let unshare = unshare.stdin(Stdio::null()).stdout(both).stderr(file);
        let status = unshare.status().expect("it was found");
        let said = fs::read_to_string(&said).expect(OURS);
        eprintln!("{}: {args:?}: {status}: {said}", self.runtime.name);
        (status.code(), said)
    }
}

impl Drop for User {
    fn drop(&mut self) {
        // What is not there is no error: some tests have deleted it.
        self.verb_with("delete", &["--force"], &[]);
    }
}
