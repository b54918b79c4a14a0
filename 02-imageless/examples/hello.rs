//! Says where it is: a program to put into a bundle. Linked statically, it is
//! all that a container needs:
//! `cargo rustc -p imageless --example hello -- -C target-feature=+crt-static`

fn main() -> Result<(), nix::Error> {
    let hostname = nix::unistd::gethostname()?;
    let pid = std::process::id();
    let uid = nix::unistd::getuid();
    println!(
        "hello from {}: I am process {pid}, user {uid}",
        hostname.display()
    );
    Ok(())
}
