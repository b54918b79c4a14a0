//! `process.capabilities`: names of the runtime-spec to the kernel's five sets,
//! and the order in which they are set.

use crate::located;
use anyhow::{Context, Result};
use namespaces::capabilities::{self, Capabilities};
use oci_spec::runtime::{Capabilities as Names, Capability, LinuxCapabilities};

/// The five sets, as the configuration asks for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sets {
    bounding: Capabilities,
    effective: Capabilities,
    permitted: Capabilities,
    inheritable: Capabilities,
    ambient: Capabilities,
}

/// Translates `process.capabilities`. A configuration without them means: none
/// at all.
///
/// Source: runtime-spec: config.md, "Linux Process"
pub(crate) fn plan(config: Option<&LinuxCapabilities>) -> Sets {
    let Some(config) = config else { return Sets::default() };
    Sets {
        bounding: bits(config.bounding().as_ref()),
        effective: bits(config.effective().as_ref()),
        permitted: bits(config.permitted().as_ref()),
        inheritable: bits(config.inheritable().as_ref()),
        ambient: bits(config.ambient().as_ref()),
    }
}

/// Adds capabilities by name to the bounding, effective and permitted sets. Not
/// to the inheritable one: a program would hand them on (CVE-2022-29162).
///
/// # Errors
/// No such capability.
///
/// Source: the command line of runc, exec --cap
pub(crate) fn with(
    mut own: LinuxCapabilities,
    names: &[String],
) -> Result<LinuxCapabilities> {
    for text in names {
        let name = text.to_ascii_uppercase();
        let name = name.strip_prefix("CAP_").unwrap_or(&name).to_owned();
        let unknown = || format!("{text:?}: no such capability");
        let name: Capability = located::read(&format!("CAP_{name}").into())
            .with_context(unknown)?;
        let add = |set: &Option<Names>| {
            let mut set = set.clone().unwrap_or_default();
            set.insert(name);
            Some(set)
        };
        let (bounding, effective) = (add(own.bounding()), add(own.effective()));
        let permitted = add(own.permitted());
        own.set_bounding(bounding)
            .set_effective(effective)
            .set_permitted(permitted);
    }
    Ok(own)
}

/// The runtime-spec's names are the kernel's; the type's leave out `CAP_`.
fn bits(names: Option<&Names>) -> Capabilities {
    let named = |name| Capabilities::named(&format!("CAP_{name}"));
    let sets = names.into_iter().flatten().filter_map(named);
    sets.fold(Capabilities::default(), |all, one| Capabilities(all.0 | one.0))
}

impl Sets {
    /// Leaves out what the kernel would refuse: what we do not have ourselves
    /// cannot be given away, and each set has to lie within the ones before it.
    ///
    /// Source: capabilities(7), "Transformation of capabilities during
    /// execve()"
    // ANCHOR: within
    pub(crate) fn within(self, own: Capabilities) -> Self {
        let bounding = self.bounding.and(own);
        let permitted = self.permitted.and(own);
        let inheritable = self.inheritable.and(bounding);
        let effective = self.effective.and(permitted);
        let ambient = self.ambient.and(permitted).and(inheritable);
        Self { bounding, effective, permitted, inheritable, ambient }
    }
    // ANCHOR_END: within

    /// Limits what can ever be gained. Runs in init while it still has
    /// CAP_SETPCAP.
    pub(crate) fn limit_bounding(&self) -> Result<()> {
        Ok(capabilities::limit_bounding(self.bounding)?)
    }

    /// Sets the other four. Runs in init after the change of user, which would
    /// clear them again.
    pub(crate) fn apply(&self) -> Result<()> {
        capabilities::capset(self.effective, self.permitted, self.inheritable)?;
        Ok(capabilities::set_ambient(self.ambient)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(name: Capability) -> Capabilities {
        bits(Some(&Names::from([name])))
    }

    #[test]
    fn each_name_of_a_configuration_has_the_kernels_number() {
        for (number, name) in Capabilities::KNOWN.names().iter().enumerate() {
            let name = serde_json::from_value(name.as_str().into()).unwrap();
            assert_eq!(only(name), Capabilities(1 << number), "{name}");
        }
    }

    #[test]
    fn what_we_do_not_have_is_not_asked_for() {
        let all = Capabilities(u64::MAX);
        let sets = Sets {
            bounding: all,
            effective: all,
            permitted: all,
            inheritable: all,
            ambient: all,
        };
        let own = Capabilities(0b1011);
        let within = sets.within(own);
        assert_eq!((within.bounding, within.ambient), (own, own));
    }

    #[test]
    fn ambient_stays_within_inheritable() {
        let (kill, raw) = (only(Capability::Kill), only(Capability::NetRaw));
        let sets = Sets {
            permitted: Capabilities(kill.0 | raw.0),
            inheritable: kill,
            ambient: raw,
            ..Sets::default()
        };
        assert_eq!(
            sets.within(Capabilities(u64::MAX)).ambient,
            Capabilities::default()
        );
    }
}
