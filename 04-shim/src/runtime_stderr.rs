//! What the runtime says on its stderr. Until a runtime has exited, its
//! container is only created and cannot write, so what comes out of the
//! container's stderr is the runtime's: on failure, it is the answer to the
//! manager.

/// Bytes kept; conmon keeps as many. The end of what a runtime says is the
/// reason, the beginning are warnings.
const LIMIT: usize = 8 * 1024;

/// Keeps the end of what the runtime says.
#[derive(Debug, Default)]
pub(crate) struct RuntimeStderr(Vec<u8>);

impl RuntimeStderr {
    /// Adds what it said now, and forgets the oldest beyond the limit.
    pub(crate) fn push(&mut self, said: &[u8]) {
        self.0.extend_from_slice(said);
        let surplus = self.0.len().saturating_sub(LIMIT);
        self.0.drain(..surplus);
    }

    /// Returns what is kept, and forgets it.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept() {
        let mut stderr = RuntimeStderr::default();
        stderr.push(&[b'x'; 200_000]);
        stderr.push(b" reason");
        let kept = stderr.take();
        assert!(kept.len() == LIMIT && kept.ends_with(b"x reason"));
    }
}
