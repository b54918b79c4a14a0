//! `cargo xtask soak`: containers are made and removed thousands of times, and
//! nothing of them may stay: what leaks once in a round of a test is not seen.
//!
//! The rounds are those of a program with one thread (stage 01's example
//! `rounds`), because clone3(2) copies only one. We look at it from outside.

mod counts;

use crate::cargo::{Profile, binaries, cargo, xtask};
use crate::progress::step;
use crate::root::{as_root, is_root, succeed};
use anyhow::{Context, Result, bail};
use counts::Counts;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// How often.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many containers, one after the other
    #[arg(default_value_t = 10_000)]
    rounds: u32,
    /// The part that runs as root, once the rounds are built
    #[arg(long, hide = true)]
    built: bool,
}

/// Builds the rounds as you, and runs them as root.
///
/// # Errors
/// A round failed, or something is more after the last one than before.
pub(crate) fn soak(args: &Args) -> Result<()> {
    if args.rounds == 0 {
        bail!("soak 0: nothing can stay behind of nothing");
    }
    if !args.built {
        let example = ["--package", "namespaces", "--example", "rounds"];
        succeed(cargo(&["build"]).args(example))?;
    }
    if is_root() {
        return measure(args.rounds);
    }
    let rounds = args.rounds.to_string();
    succeed(as_root(xtask()?).args(["soak", "--built", &rounds]))
}

fn measure(count: u32) -> Result<()> {
    let mut rounds = Rounds::start()?;
    // What the first round opens for good, such as stdout's buffer, is no leak.
    rounds.run(1)?;
    let before = Counts::of(rounds.pid())?;
    step(&format!("make and remove {count} containers"), || rounds.run(count))?;
    let after = Counts::of(rounds.pid())?;
    println!("before: {before}\nafter:  {after}");
    if before != after {
        bail!("{count} containers have left something behind");
    }
    rounds.finish()
}

/// The program that makes containers, waiting to be told how many.
struct Rounds {
    process: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl Rounds {
    fn start() -> Result<Self> {
        let program = binaries(Profile::Dev)?.join("examples/rounds");
        let mut command = Command::new(&program);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command
            .spawn()
            .with_context(|| format!("{}", program.display()))?;
        let stdin = process.stdin.take().expect("it is piped");
        let stdout = process.stdout.take().expect("it is piped");
        let stdout = BufReader::new(stdout).lines();
        Ok(Self { process, stdin, stdout })
    }

    fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Runs so many rounds, to the end of the last one.
    fn run(&mut self, count: u32) -> Result<()> {
        writeln!(self.stdin, "{count}").context("write to the rounds")?;
        let answer = self.stdout.next().transpose().context("read")?;
        answer.map(drop).context("the rounds have ended early")
    }

    /// Lets it end: it removes its directory, on which nothing may be mounted.
    fn finish(self) -> Result<()> {
        let Self { mut process, stdin, .. } = self;
        drop(stdin);
        let status = process.wait().context("waitid(rounds)")?;
        if !status.success() {
            bail!("the rounds: {status}");
        }
        Ok(())
    }
}
