//! Boots the guest, and reads on its console how that went.

use super::lane::PROGRAM;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// From power on to power off; it takes a third of that on two quiet cores.
const LIMIT: Duration = Duration::from_secs(9 * 60);

/// The line by which the guest tells its exit status: see `vm/machine.sh`.
const STATUS: &str = "vm: exit status ";

const MACHINE: &[&str] = &[
    "-cpu",
    PROCESSOR,
    "-smp",
    "2",
    "-m",
    "3072",
    "-no-reboot",
    "-display",
    "none",
    "-monitor",
    "none",
    "-chardev",
    CONSOLE,
    "-serial",
    "chardev:console",
    "-net",
    "none",
    "-append",
    KERNEL,
];

/// Our terminal. Ctrl-C goes to who runs in the guest, and does not end qemu.
const CONSOLE: &str = "stdio,id=console,signal=off";

/// Without what is quick in silicon and slow where each instruction is
/// translated: string instructions, wide registers, one more level of page
/// tables, a flag that is turned at each access to a program's memory.
const PROCESSOR: &str = "max,-erms,-fsrm,-avx,-avx2,-la57,-pcid,-smap,-smep";

/// Nothing attacks this kernel, and nobody else has to wait for it: no memory
/// is cleared twice, and a mount or a cgroup that goes is gone at once.
const KERNEL: &str = "console=ttyS0 quiet panic=-1 mitigations=off \
    init_on_alloc=0 transparent_hugepage=never apparmor=0 audit=0 \
    clearcpuid=rep_good rcupdate.rcu_expedited=1";

/// The modules of processors that help with virtual machines. A /dev/kvm without
/// one of them is for guests that know of it, which Debian's kernel does not.
const HELPED: [&str; 2] = ["/sys/module/kvm_intel", "/sys/module/kvm_amd"];

/// KVM where it can be had; most machines are virtual themselves and have none.
fn accelerator() -> &'static str {
    let helped = HELPED.iter().any(|module| Path::new(module).exists());
    let kvm = File::options().read(true).write(true).open("/dev/kvm");
    if helped && kvm.is_ok() { "kvm" } else { "tcg,thread=multi" }
}

fn qemu(kernel: &Path, initrd: &Path) -> Command {
    let mut qemu = Command::new("qemu-system-x86_64");
    qemu.args(["-accel", accelerator()]).args(MACHINE);
    qemu.arg("-kernel").arg(kernel).arg("-initrd").arg(initrd);
    qemu
}

/// Lends our terminal to the guest.
pub(super) fn boot_with_terminal(kernel: &Path, initrd: &Path) -> Result<()> {
    let status = qemu(kernel, initrd).status().context("qemu-system-x86_64")?;
    if status.success() {
        Ok(())
    } else {
        bail!("qemu-system-x86_64: {status}")
    }
}

/// Shows what the guest prints, and fails as it failed.
pub(super) fn boot_and_report(kernel: &Path, initrd: &Path) -> Result<()> {
    let mut command = qemu(kernel, initrd);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut guest = Guest(command.spawn().context("qemu-system-x86_64")?);
    let console = guest.0.stdout.take().context("qemu's standard output")?;
    let said = listen(&lines(console), Instant::now() + LIMIT)?;
    guest.0.wait().context("qemu-system-x86_64")?;
    match said.as_deref() {
        Some("0") => Ok(()),
        Some(number) => {
            bail!("vm test: {number} test programs failed in the guest")
        }
        None => bail!("vm test: the guest ended before it told its status"),
    }
}

/// A qemu that does not outlive us, however we return.
struct Guest(Child);

impl Drop for Guest {
    fn drop(&mut self) {
        // It may have ended already; nobody is left to tell.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Lines as they come. They end with the guest, or nobody listens any more.
fn lines(console: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(console).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Prints each line until the last, and returns the exit status that one told.
fn listen(
    lines: &Receiver<String>,
    deadline: Instant,
) -> Result<Option<String>> {
    let (mut status, mut program) = (None, "booting".to_owned());
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let line = match lines.recv_timeout(left) {
            Ok(line) => line,
            Err(RecvTimeoutError::Disconnected) => return Ok(status),
            Err(RecvTimeoutError::Timeout) => bail!(
                "vm test: not done in {} s; it was at: {program}",
                LIMIT.as_secs()
            ),
        };
        println!("{line}");
        if let Some((_, number)) = line.split_once(STATUS) {
            status = Some(number.to_owned());
        }
        if let Some(name) = line.strip_prefix(PROGRAM) {
            program = name.to_owned();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(lines: &[&str], left: Duration) -> Result<Option<String>> {
        let (sender, receiver) = channel();
        for line in lines {
            sender.send((*line).to_owned()).expect("we hold the receiver");
        }
        if left.is_zero() {
            // The guest is still there, and silent.
            std::mem::forget(sender);
        } else {
            drop(sender);
        }
        listen(&receiver, Instant::now() + left)
    }

    #[test]
    fn the_status_is_what_the_guest_told() {
        let lines = ["== a", "test b ... ok", "vm: exit status 3", "bye"];
        let status = said(&lines, LIMIT).expect("it ends in time");
        assert_eq!(status.as_deref(), Some("3"));
    }

    #[test]
    fn a_guest_that_dies_has_told_no_status() {
        assert_eq!(said(&["== a"], LIMIT).expect("it ends"), None);
    }

    #[test]
    fn a_guest_that_is_silent_is_given_up_and_its_program_named() {
        let error = said(&["== first", "== second"], Duration::ZERO);
        let error = error.expect_err("it never ends").to_string();
        assert!(error.ends_with("it was at: second"), "{error}");
    }
}
