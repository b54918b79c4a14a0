//! The five stages as data: which folder, package and programs belong to which
//! number.
//!
//! Each stage executes programs of stages below it, never above; so whoever
//! runs stage N builds 1 to N.

use anyhow::{Context, Result};

/// One layer of the stack.
pub(crate) struct Stage {
    pub(crate) number: u8,
    pub(crate) package: &'static str,
    pub(crate) programs: &'static [&'static str],
}

/// The stages, lowest first.
pub(crate) const STAGES: [Stage; 5] = [
    Stage { number: 1, package: "namespaces", programs: &["isolate"] },
    Stage { number: 2, package: "imageless", programs: &["imageless"] },
    Stage { number: 3, package: "runc-naive", programs: &["runc-naive"] },
    Stage { number: 4, package: "shim", programs: &["conman-shim"] },
    Stage { number: 5, package: "manager", programs: &["conmand", "conman"] },
];

/// Finds the stage that brings a program.
///
/// # Errors
/// No stage does; the message lists all programs.
pub(crate) fn stage_of(program: &str) -> Result<&'static Stage> {
    STAGES.iter().find(|stage| stage.programs.contains(&program)).with_context(
        || {
            let all: Vec<_> = STAGES
                .iter()
                .flat_map(|stage| stage.programs)
                .copied()
                .collect();
            format!(
                "no stage has a program {program:?}\nhint: one of {}",
                all.join(", ")
            )
        },
    )
}

/// Finds a stage by its number.
///
/// # Errors
/// The number is not 1 to 5.
pub(crate) fn stage(number: u8) -> Result<&'static Stage> {
    let found = STAGES.iter().find(|stage| stage.number == number);
    found.with_context(|| {
        format!("no stage {number}\nhint: stages are 1 to {}", STAGES.len())
    })
}

/// The packages that must be built before a program of stage `number` can do
/// its work.
pub(crate) fn packages_up_to(number: u8) -> Vec<&'static str> {
    STAGES
        .iter()
        .filter(|stage| stage.number <= number)
        .map(|stage| stage.package)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{STAGES, stage_of};
    use crate::cargo::repository;

    #[test]
    fn every_stage_is_a_folder_whose_package_has_its_name() {
        for stage in &STAGES {
            let folder = repository()
                .join(format!("{:02}-{}", stage.number, stage.package));
            let manifest =
                std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
            assert!(
                manifest.contains(&format!("name = {:?}", stage.package)),
                "{folder:?}"
            );
        }
    }

    #[test]
    fn an_unknown_program_is_answered_with_the_known_ones() {
        let error = stage_of("docker")
            .map(|stage| stage.number)
            .unwrap_err()
            .to_string();
        assert!(error.contains("conman-shim, conmand, conman"), "{error}");
    }
}
