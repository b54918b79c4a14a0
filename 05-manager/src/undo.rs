//! A create has many steps, and each can fail. What each step made is noted
//! here with the way to unmake it; unless the whole succeeds, the list runs
//! backwards, so that nothing half-made stays.

use crate::error::Result;

/// Steps back, run last first when the list is dropped.
#[derive(Default)]
pub struct Undo {
    steps: Vec<(&'static str, Step)>,
}

type Step = Box<dyn FnOnce() -> Result<()> + Send>;

impl Undo {
    /// Notes how to unmake what was just made; `what` names it in the log if
    /// that fails.
    pub fn push(
        &mut self,
        what: &'static str,
        step: impl FnOnce() -> Result<()> + Send + 'static,
    ) {
        self.steps.push((what, Box::new(step)));
    }

    /// Keeps everything: the create has succeeded.
    pub fn disarm(mut self) {
        self.steps.clear();
    }
}

// ANCHOR: backwards
impl Drop for Undo {
    fn drop(&mut self) {
        while let Some((what, step)) = self.steps.pop() {
            // The caller is told why the create failed; that the way back
            // failed too is for the log.
            if let Err(error) = step() {
                tracing::warn!("undo {what}: {error}");
            }
        }
    }
}
// ANCHOR_END: backwards

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    fn noted(names: &[&'static str]) -> (Undo, Arc<Mutex<Vec<&'static str>>>) {
        let (mut undo, seen) =
            (Undo::default(), Arc::new(Mutex::new(Vec::new())));
        for &name in names {
            let seen = Arc::clone(&seen);
            undo.push(name, move || {
                seen.lock().unwrap().push(name);
                Ok(())
            });
        }
        (undo, seen)
    }

    #[test]
    fn steps_are_undone_last_first() {
        let (undo, seen) = noted(&["directory", "mount", "process"]);
        drop(undo);
        assert_eq!(*seen.lock().unwrap(), ["process", "mount", "directory"]);
    }

    #[test]
    fn nothing_is_undone_after_success() {
        let (undo, seen) = noted(&["directory"]);
        undo.disarm();
        assert!(seen.lock().unwrap().is_empty());
    }
}
