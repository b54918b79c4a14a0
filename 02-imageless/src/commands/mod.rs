//! One file per verb: its options, and what it does with them.

pub(crate) mod bundle;
pub(crate) mod spec;
