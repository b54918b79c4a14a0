//! `--user UID[:GID]`: numbers only, and strictly. A runtime that takes
//! `4294967296` for a name, or cuts it to 32 bits, runs the program as root
//! (CVE-2024-40635).

use anyhow::{Context, Result};
use oci_spec::runtime::User;

/// Makes it this user; the group stays if none is given.
///
/// # Errors
/// Not a number of 32 bits. The largest of them means "no user" to the kernel.
///
/// Source: setresuid(2), chown(2)
pub(crate) fn change(user: &mut User, text: &str) -> Result<()> {
    let (uid, gid) = match text.split_once(':') {
        Some((uid, gid)) => (uid, Some(gid)),
        None => (text, None),
    };
    user.set_uid(number(uid)?);
    if let Some(gid) = gid {
        user.set_gid(number(gid)?);
    }
    Ok(())
}

fn number(text: &str) -> Result<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse::<u32>().ok().filter(|n| digits && *n < u32::MAX);
    number.with_context(|| {
        format!("{text:?} is not a number from 0 to {}", u32::MAX - 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_and_a_group_are_numbers() {
        let mut user = User::default();
        user.set_gid(7);
        change(&mut user, "1000").unwrap();
        assert_eq!((user.uid(), user.gid()), (1000, 7));
        change(&mut user, "4294967294:5").unwrap();
        assert_eq!((user.uid(), user.gid()), (4_294_967_294, 5));
    }

    #[test]
    fn nothing_that_is_no_number_becomes_root() {
        for text in [
            "",
            ":",
            "1:",
            ":1",
            "-1",
            "+1",
            "0x1",
            "1000x",
            " 1",
            "root",
            "4294967295",
            "4294967296",
            "18446744073709551616",
            "1:2:3",
        ] {
            let mut user = User::default();
            user.set_uid(9);
            assert!(change(&mut user, text).is_err(), "{text:?}");
        }
    }
}
