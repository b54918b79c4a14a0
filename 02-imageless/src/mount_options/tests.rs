//! What the words mean, one by one and together.

use super::*;

fn parse(options: &str) -> Options {
    let words: Vec<_> = options.split(',').map(str::to_owned).collect();
    Options::parse(&words)
}

/// The table of config.md, and rnodev, which it forgets and runc has.
const SPECIFIED: &str = "async atime bind defaults dev diratime dirsync exec \
    iversion lazytime loud mand noatime nodev nodiratime noexec noiversion \
    nolazytime nomand norelatime nostrictatime nosuid nosymfollow private \
    ratime rbind rdev rdiratime relatime remount rexec rnoatime rnodev rnodiratime \
    rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro rprivate \
    rrelatime rro rrw rshared rslave rstrictatime rsuid rsymfollow \
    runbindable rw shared silent slave strictatime suid symfollow sync \
    tmpcopyup unbindable idmap ridmap";

#[test]
fn the_words_are_those_of_the_specification_and_no_others() {
    let mut specified: Vec<_> = SPECIFIED.split(' ').collect();
    specified.sort_unstable();
    assert_eq!(known(), specified);
    for word in specified {
        assert!(parse(word).data.is_empty(), "{word} is left over");
    }
}

#[test]
fn what_is_no_such_word_is_the_file_systems() {
    let options = parse("mode=755,rsync,r,rr,nosuid,size=64k,acl,");
    let data = ["mode=755", "rsync", "r", "rr", "size=64k", "acl", ""];
    assert_eq!(options.data, data);
    assert_eq!(options.flags(), MsFlags::MS_NOSUID);
}

#[test]
fn of_two_words_that_contradict_each_other_the_later_counts() {
    let options = parse("ro,rw,nosuid,suid,nosuid,sync,async");
    assert_eq!(options.flags(), MsFlags::MS_NOSUID);
    assert_eq!(options.this.set, Attr::MOUNT_ATTR_NOSUID);
    assert_eq!(options.this.clear, Attr::MOUNT_ATTR_RDONLY);
}

#[test]
fn one_way_of_noting_access_times_holds_and_the_bits_of_the_others_go() {
    for (options, set, flags) in [
        ("noatime", Attr::MOUNT_ATTR_NOATIME, Ms::MS_NOATIME),
        (
            "noatime,strictatime",
            Attr::MOUNT_ATTR_STRICTATIME,
            Ms::MS_STRICTATIME,
        ),
        ("noatime,norelatime", Attr::MOUNT_ATTR_NOATIME, Ms::MS_NOATIME),
        ("noatime,atime", Attr::MOUNT_ATTR_RELATIME, Ms::MS_RELATIME),
        ("relatime", Attr::MOUNT_ATTR_RELATIME, Ms::MS_RELATIME),
    ] {
        let options = parse(options);
        let change = Change { set, clear: Attr::MOUNT_ATTR__ATIME };
        assert_eq!((options.this, options.flags()), (change, flags));
    }
    assert!(parse("size=1").this.is_nothing());
}

#[test]
fn an_r_before_a_word_is_about_all_below() {
    let options = parse("rro,rsuid,rnoatime,rslave,shared,rbind,ridmap");
    let set = Attr::MOUNT_ATTR_RDONLY | Attr::MOUNT_ATTR_NOATIME;
    let clear = Attr::MOUNT_ATTR_NOSUID | Attr::MOUNT_ATTR__ATIME;
    assert_eq!(options.all_below, Change { set, clear });
    assert!(options.this.is_nothing());
    let both = [
        (Propagation::Slave, Reach::AllBelow),
        (Propagation::Shared, Reach::This),
    ];
    assert_eq!(options.propagation, both);
    assert_eq!(options.bind, Some(Reach::AllBelow));
    assert_eq!(options.idmap, Some(Reach::AllBelow));
}
