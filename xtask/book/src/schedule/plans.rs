//! The workshops: what each takes from the book. Only this table changes when
//! a workshop does.

/// A workshop.
pub(super) struct Plan {
    pub(super) name: &'static str,
    /// Minutes of work, without breaks and lunch.
    pub(super) minutes: u32,
    pub(super) chapters: &'static [&'static str],
    pub(super) exercises: &'static [&'static str],
}

/// Half a day is four hours with half an hour of breaks; a day is eight, with
/// an hour and a half.
pub(super) const PLANS: &[Plan] = &[
    Plan {
        name: "half a day",
        minutes: 210,
        chapters: &["introduction", "01-namespaces", "01-joining"],
        exercises: &["01.1", "01.2"],
    },
    Plan {
        name: "one day",
        minutes: 390,
        chapters: &["introduction", "01-namespaces", "01-init", "01-rootfs"],
        exercises: &["01.1", "01.2", "01.6", "01.7"],
    },
    // The first day is stage 1 without users and cgroups, the second the core
    // of a runtime.
    Plan {
        name: "two days",
        minutes: 780,
        chapters: &[
            "introduction",
            "01-namespaces",
            "01-init",
            "01-rootfs",
            "02-bundle",
            "02-runtime",
            "02-handshake",
            "02-exec",
        ],
        exercises: &[
            "01.1", "01.2", "01.6", "01.7", "01.8", "02.1", "02.2", "02.4",
            "02.8", "02.9",
        ],
    },
    // All of stage 1, and the runtime.
    Plan {
        name: "three days",
        minutes: 1170,
        chapters: &[
            "introduction",
            "01-namespaces",
            "01-joining",
            "01-users",
            "01-init",
            "01-rootfs",
            "01-cgroups",
            "02-bundle",
            "02-runtime",
            "02-handshake",
            "02-terminals",
            "02-exec",
            "02-limits",
        ],
        exercises: &[
            "01.1", "01.2", "01.3", "01.5", "01.6", "01.7", "01.8", "01.10",
            "02.2", "02.4", "02.9",
        ],
    },
    // What people ask of a runtime, once they have one.
    Plan {
        name: "a fourth day",
        minutes: 390,
        chapters: &[
            "02-mounts",
            "02-capabilities",
            "02-seccomp",
            "02-hooks",
            "02-rootless",
            "02-podman",
        ],
        exercises: &["02.12", "02.13", "02.14", "02.15"],
    },
];
