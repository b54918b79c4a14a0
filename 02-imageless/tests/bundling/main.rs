//! `imageless bundle` and `imageless spec`, from the outside: what they make
//! has to run on runc before it is asked of ours.

mod bundle;
mod libraries;
mod maker;
mod refusals;
mod spec;
