//! podman, with its conmon, on runc first and then on ours: the calls, files
//! and words are those of a real engine.

mod limits;
mod lives;
mod podman;
mod pods;
mod rights;
mod running;
mod storage;
mod streams;
mod terminal;
