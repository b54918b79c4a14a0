//! The signal that asks a container to end, as a number: CRI has an enum of its
//! own for them.

use nix::sys::signal::Signal;

use crate::cri::{self, ContainerConfig};

/// The first real-time signal that programs may use: the C library keeps 32 and
/// 33 for itself.
///
/// Source: signal(7), "Real-time signals"
const SIGRTMIN: i32 = 34;

/// Returns the number of a container's stop signal; SIGTERM unless it asks for
/// another.
///
/// Source: CRI: api.proto, Signal
#[must_use]
pub fn stop_signal(config: &ContainerConfig) -> i32 {
    number(config.stop_signal()).unwrap_or(Signal::SIGTERM as i32)
}

fn number(signal: cri::Signal) -> Option<i32> {
    let name = signal.as_str_name().strip_prefix("SIGNAL_")?;
    let name = match name {
        "SIGIOT" => "SIGABRT",
        "SIGCLD" => "SIGCHLD",
        "SIGPOLL" => "SIGIO",
        name => name,
    };
    let classic = name.parse::<Signal>().ok().map(|signal| signal as i32);
    classic.or_else(|| {
        // The real-time ones follow each other in the enum as in the kernel.
        let offset = signal as i32 - cri::Signal::Sigrtmin as i32;
        (offset >= 0).then_some(SIGRTMIN + offset)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cri::Signal as S;

    #[test]
    fn every_signal_of_cri_has_its_number_and_the_default_none() {
        let all =
            (1..=S::Sigrtmax as i32).map(|n| S::try_from(n).expect("no gap"));
        let numbers: Vec<_> =
            all.map(|signal| number(signal).unwrap_or(0)).collect();
        assert!(numbers.iter().all(|n| (1..=64).contains(n)), "{numbers:?}");
        assert_eq!(number(S::RuntimeDefault), None);
    }

    #[test]
    fn numbers_are_the_kernels() {
        let cases = [
            (S::Sigterm, 15),
            (S::Sigint, 2),
            (S::Sigcld, 17),
            (S::Sigrtmin, 34),
            (S::Sigrtmax, 64),
        ];
        for (signal, expected) in cases {
            assert_eq!(number(signal), Some(expected), "{signal:?}");
        }
    }
}
