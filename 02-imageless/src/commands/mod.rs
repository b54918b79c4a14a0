//! One file per verb: its options, and what it does with them.
