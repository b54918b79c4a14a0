//! The terminal that a runtime sends to a console socket.

use super::driver::{Driver, OURS};
use namespaces::process::receive_fd;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use testkit::Screen;

/// Lets `call` send a terminal to a console socket, whose path it is given.
pub(crate) fn sent_by(driver: &Driver, call: impl FnOnce(&str)) -> Screen {
    let path = driver.scratch.path().join("console");
    let listener = UnixListener::bind(&path).expect(OURS);
    call(path.to_str().expect("our paths are text"));
    std::fs::remove_file(&path).expect(OURS);
    let (socket, _) = listener.accept().expect("the runtime has connected");
    let (master, _) = receive_fd(socket.as_fd()).expect("a master came");
    Screen::new(master)
}
