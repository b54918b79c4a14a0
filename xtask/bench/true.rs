//! The smallest program for a container to run: what is measured around it is
//! all the runtime's.

fn main() {}
