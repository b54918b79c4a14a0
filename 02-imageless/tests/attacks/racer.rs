//! Another container that shares a volume: it exchanges two names in it, as
//! fast as it can, while this one's mounts are made.

use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

/// Exchanges until it is dropped.
pub(crate) struct Racer {
    stop: Arc<AtomicBool>,
    exchanges: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Racer {
    /// Begins.
    pub(crate) fn exchanging(one: PathBuf, other: PathBuf) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let exchanges = Arc::new(AtomicU64::new(0));
        let (until, count) = (stop.clone(), exchanges.clone());
        let exchange = move || {
            while !until.load(Ordering::Relaxed) {
                let flags = RenameFlags::RENAME_EXCHANGE;
                renameat2(AT_FDCWD, &one, AT_FDCWD, &other, flags)
                    .expect("both are there");
                count.fetch_add(1, Ordering::Relaxed);
            }
        };
        let thread = Some(thread::spawn(exchange));
        Self { stop, exchanges, thread }
    }

    /// How often it has.
    pub(crate) fn exchanges(&self) -> u64 {
        self.exchanges.load(Ordering::Relaxed)
    }
}

impl Drop for Racer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it only renames");
        }
    }
}
