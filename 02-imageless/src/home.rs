//! HOME: shells and editors expect it, and few configurations set it. Runtimes
//! take it from the container's own /etc/passwd, as login(1) would.

use nix::libc::O_NONBLOCK;
use std::ffi::{CString, OsStr};
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;

/// Gives the environment with HOME in it, the configured one if there is one.
/// Runs in init, in the container's root.
///
/// Source: environ(7), passwd(5)
pub(crate) fn with_home(env: &[CString], uid: u32) -> Vec<CString> {
    let is_home = |var: &&CString| var.as_bytes().starts_with(b"HOME=");
    let mut env = env.to_vec();
    if !env.iter().any(|var| is_home(&var)) {
        let mut home = b"HOME=".to_vec();
        home.extend(home_of(uid, &passwd()).as_bytes());
        env.push(CString::new(home).expect("home_of gives no zero byte"));
    }
    env
}

/// Reads the user database; none is an empty one. The file is the image's: it
/// may be a FIFO, which must not make us wait, or have no end.
fn passwd() -> Vec<u8> {
    const MOST: u64 = 1 << 20;
    let mut text = Vec::new();
    let mut open = OpenOptions::new();
    let file = open.read(true).custom_flags(O_NONBLOCK).open("/etc/passwd");
    if let Ok(file) = file {
        // What could be read is what counts: without a line of its own a user
        // lives in /.
        let _ = file.take(MOST).read_to_end(&mut text);
    }
    text
}

/// Finds the sixth field of the user's line.
fn home_of(uid: u32, passwd: &[u8]) -> &OsStr {
    let uid = uid.to_string();
    let home = passwd.split(|byte| *byte == b'\n').find_map(|line| {
        let mut fields = line.split(|byte| *byte == b':');
        let is_users = fields.nth(2) == Some(uid.as_bytes());
        fields.nth(2).filter(|_| is_users)
    });
    let home = home.filter(|home| !home.is_empty() && !home.contains(&0));
    OsStr::from_bytes(home.unwrap_or(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_lives_where_passwd_says_or_in_the_root() {
        let passwd = b"root:x:0:0:r:/root:/bin/sh\nbad:x\nu:x:7:7::/u\n\
                       none:x:8:8:::/bin/sh\nzero:x:9:9::/a\0b:";
        for (uid, home) in
            [(0, "/root"), (7, "/u"), (8, "/"), (9, "/"), (10, "/")]
        {
            assert_eq!(home_of(uid, passwd), home, "{uid}");
        }
        assert_eq!(home_of(0, b""), "/");
    }

    #[test]
    fn a_configured_home_stays() {
        let env = [CString::from(c"HOME=/somewhere")];
        assert_eq!(with_home(&env, 0), env);
    }
}
