//! The smallest program that does not end: somebody to be at home while
//! another program is added to its container.

fn main() {
    loop {
        std::thread::park();
    }
}
