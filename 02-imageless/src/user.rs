//! Who the process shall be: numbers only, and strictly. A runtime that takes
//! `4294967296` for a name, or cuts it to 32 bits, runs the program as root
//! (CVE-2024-40635); so does one that passes on 4294967295, which means "as it
//! is" to the kernel.

use anyhow::{Context, Result, bail};
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

/// Refuses the one number of 32 bits that is nobody's.
///
/// # Errors
/// Names the field.
///
/// Source: setresuid(2), setresgid(2)
pub(crate) fn check(user: &User) -> Result<()> {
    let groups = user.additional_gids().iter().flatten().enumerate();
    let groups = groups.map(|(i, gid)| (format!("additionalGids[{i}]"), *gid));
    let ids = [("uid".into(), user.uid()), ("gid".into(), user.gid())];
    for (field, id) in ids.into_iter().chain(groups) {
        if id == u32::MAX {
            bail!("process.user.{field}: {id} means \"unchanged\": root");
        }
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
    fn the_number_of_nobody_is_refused_by_its_field() {
        for (json, field) in [
            (r#"{"uid":4294967295,"gid":0}"#, "uid"),
            (r#"{"uid":0,"gid":4294967295}"#, "gid"),
            (
                r#"{"uid":0,"gid":0,"additionalGids":[1,4294967295]}"#,
                "additionalGids[1]",
            ),
        ] {
            let user = serde_json::from_str(json).unwrap();
            let error = check(&user).unwrap_err().to_string();
            let start = format!("process.user.{field}: ");
            assert!(error.starts_with(&start), "{error}");
        }
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
