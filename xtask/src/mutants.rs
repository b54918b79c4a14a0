//! `cargo xtask mutants`: proves that the tests notice a set-up step that is
//! missing. In a copy of the tree it takes away one line after the other, as
//! `xtask/mutants.txt` lists them, and runs the one test that must fail then.

mod list;
mod tree;

use crate::cargo::{self, Profile, binaries, repository};
use crate::progress::{cut, step};
use crate::root::{shown, status, succeed};
use crate::test::run_as_root;
use anyhow::{Context, Result, anyhow, bail, ensure};
use list::{Mutant, Test, parse, share};
use std::collections::BTreeSet;
use std::fs;
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::time::Instant;
use tree::Tree;

/// Which mutants.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only those with this text in file, line or test
    filter: Option<String>,
    /// Only every Nth of them, and others at the next commit
    #[arg(long, value_name = "N", default_value = "1")]
    share: NonZeroUsize,
}

/// Seconds that a test may take. One that waits for ever has noticed something.
const LIMIT: &str = "60";

/// What became of a mutant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The test failed, as it must.
    Killed,
    /// The test passed: it does not show what it claims.
    Survived,
    /// The list is wrong.
    DoesNotCompile,
}

/// Runs each mutant against its test, and prints a line for it.
///
/// # Errors
/// One survived, or the list does not fit the code, or a test fails without any
/// mutant.
pub(crate) fn mutants(args: &Args) -> Result<()> {
    let mut mutants = listed()?;
    let work = binaries(Profile::Dev)?.with_file_name("mutants");
    let tree = Tree::copy(repository(), &work)?;
    // All of them: that the list fits is known before the first is built, and
    // nothing that an interrupted run has built of a mutant is taken for new.
    mutants.iter().try_for_each(|mutant| tree.with(mutant, || Ok(())))?;
    retain(&mut mutants, args.filter.as_deref())?;
    if args.share.get() > 1 {
        mutants = share(mutants, commit()?, args.share);
    }
    step("without a mutant every test passes", || {
        build_isolate(&tree)?;
        programs(&mutants).iter().try_for_each(|one| passes(&tree, one))
    })?;
    let mut fates = vec![];
    for mutant in &mutants {
        let begin = Instant::now();
        let fate = tree.with(mutant, || fate(&tree, &mutant.test))?;
        print(mutant, fate, begin);
        fates.push(fate);
    }
    verdict(&fates)
}

fn listed() -> Result<Vec<Mutant>> {
    let path = repository().join("xtask/mutants.txt");
    let text = fs::read_to_string(&path).context("xtask/mutants.txt")?;
    let wrong = |line| anyhow!("xtask/mutants.txt: {line}");
    parse(&text).map_err(wrong)
}

fn retain(mutants: &mut Vec<Mutant>, filter: Option<&str>) -> Result<()> {
    let filter = filter.unwrap_or_default();
    mutants.retain(|Mutant { file, text, test, .. }| {
        [file, text, &test.name].iter().any(|word| word.contains(filter))
    });
    ensure!(!mutants.is_empty(), "no mutant has {filter:?} in it");
    Ok(())
}

/// The commit as a number: who runs its share again gets the same one.
fn commit() -> Result<usize> {
    let mut git = Command::new("git");
    git.args(["rev-parse", "--short=7", "HEAD"]).current_dir(repository());
    let output = git.output().with_context(|| shown(&git))?;
    ensure!(output.status.success(), "{}: {}", shown(&git), output.status);
    let id = String::from_utf8_lossy(&output.stdout);
    // Git makes it longer where seven digits are not enough.
    let digits = id.get(..7).context("a commit of less than seven digits")?;
    usize::from_str_radix(digits, 16).context("git rev-parse --short=7 HEAD")
}

/// The tests of one test program, to be run together.
fn programs(mutants: &[Mutant]) -> Vec<Vec<Test>> {
    let tests: BTreeSet<_> = mutants.iter().map(|m| m.test.clone()).collect();
    let tests: Vec<_> = tests.into_iter().collect();
    let same = |a: &Test, b: &Test| {
        (&a.package, &a.program) == (&b.package, &b.program)
    };
    tests.chunk_by(same).map(<[Test]>::to_vec).collect()
}

/// Cargo builds for a test the programs of its own stage only; the machine of
/// stage 2's tests for systemd is a box that stage 1's `isolate` makes.
fn build_isolate(tree: &Tree) -> Result<()> {
    let build = ["build", "--quiet", "--package", "namespaces", "--bins"];
    succeed(&mut in_copy(tree, cargo::cargo(&build)))
}

fn passes(tree: &Tree, tests: &[Test]) -> Result<()> {
    ensure!(builds(tree, &tests[0])?, "the tree does not compile");
    let mut cargo = run(tree, tests)?;
    let output = cargo.output().with_context(|| shown(&cargo))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let all = format!("test result: ok. {} passed", tests.len());
    ensure!(
        text.contains(&all),
        "{text}{}\nhint: each of these must be there, and pass: {}",
        String::from_utf8_lossy(&output.stderr),
        tests.iter().map(|t| &*t.name).collect::<Vec<_>>().join(" "),
    );
    Ok(())
}

fn fate(tree: &Tree, test: &Test) -> Result<Fate> {
    if !builds(tree, test)? {
        return Ok(Fate::DoesNotCompile);
    }
    let mut cargo = run(tree, std::slice::from_ref(test))?;
    // Not a pipe: what a mutant leaves running would keep it open.
    cargo.stdout(Stdio::null()).stderr(Stdio::null());
    Ok(match status(&mut cargo)?.success() {
        true => Fate::Survived,
        false => Fate::Killed,
    })
}

fn builds(tree: &Tree, test: &Test) -> Result<bool> {
    let mut cargo = cargo_test(tree, test, &[]);
    let output = cargo.arg("--no-run").output();
    let output = output.with_context(|| shown(&cargo))?;
    if !output.status.success() {
        println!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(output.status.success())
}

fn run(tree: &Tree, tests: &[Test]) -> Result<Command> {
    let mut cargo = cargo_test(tree, &tests[0], &["--kill-after=5", LIMIT]);
    run_as_root(&mut cargo)?;
    cargo.args(["--", "--exact"]).args(tests.iter().map(|test| &test.name));
    cargo.env("CONMAN_REQUIRE_ALL", "1").stdin(Stdio::null());
    Ok(cargo)
}

fn cargo_test(tree: &Tree, test: &Test, limit: &[&str]) -> Command {
    let command = match limit {
        [] => Command::new(cargo::program()),
        limit => {
            let mut timeout = Command::new("timeout");
            timeout.args(limit).arg(cargo::program());
            timeout
        }
    };
    let mut command = in_copy(tree, command);
    command.args(["test", "--quiet", "--package", &test.package]);
    match &*test.program {
        "lib" => command.arg("--lib"),
        "bin" => command.arg("--bins"),
        program => command.args(["--test", program]),
    };
    command
}

/// In the copy, with a target directory of the copy's own: what is built here
/// must never be taken for the real programs.
fn in_copy(tree: &Tree, mut cargo: Command) -> Command {
    // Without debugging information the linker has half as much to do.
    cargo.env("CARGO_PROFILE_DEV_DEBUG", "0");
    cargo.env("CARGO_TARGET_DIR", tree.target());
    cargo.current_dir(tree.root());
    cargo
}

fn print(mutant: &Mutant, fate: Fate, begin: Instant) {
    let word = match fate {
        Fate::Killed => "killed",
        Fate::Survived => "SURVIVED",
        Fate::DoesNotCompile => "NO CODE",
    };
    let Mutant { file, text, instead, test } = mutant;
    let name = file.rsplit_once("src/").map_or(&**file, |(_, name)| name);
    let arrow = if instead.is_empty() { "" } else { " => " };
    let what = format!("{name}: {}{arrow}{instead}", text.trim());
    println!("{word:<10}{}", cut(&what, 10));
    let by = format!("{} ({:.1} s)", test.name, begin.elapsed().as_secs_f64());
    println!("{:<10}by {by}", "");
}

fn verdict(fates: &[Fate]) -> Result<()> {
    let count = |fate| fates.iter().filter(|f| **f == fate).count();
    let (killed, survived) = (count(Fate::Killed), count(Fate::Survived));
    println!("mutants: {killed} of {} killed", fates.len());
    if killed == fates.len() {
        return Ok(());
    }
    bail!(
        "{survived} survived, {} did not compile\n\
         hint: write the test that notices, or delete the line for good",
        count(Fate::DoesNotCompile)
    );
}
