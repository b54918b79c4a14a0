//! Watches: the kernel tells that memory or time runs out, while it does.

use crate::group::Group;
use namespaces::cgroup::{
    Limit, Limits, Pressure, PressureWatch, Resource, Stalled, Trigger, Version,
};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use std::os::fd::AsFd;
use std::time::Duration;
use testkit::{Need, eventually, requires};

const PATIENCE: Duration = Duration::from_secs(60);

/// Tells whether there is news within so many milliseconds.
fn has_news(watch: &impl AsFd, flags: PollFlags, limit: u16) -> bool {
    let mut events = [PollFd::new(watch.as_fd(), flags)];
    poll(&mut events, limit).unwrap() == 1
}

fn trigger(threshold: Duration) -> Trigger {
    let window = Duration::from_secs(2);
    Trigger { stalled: Stalled::Some, threshold, window }
}

#[test]
fn the_oom_killer_is_told_by_a_descriptor() {
    if !requires(&[Need::Root]) {
        return;
    }
    let memory = Some(Limit::At(16 << 20));
    let mut group = Group::with(&Limits { memory, ..Limits::default() });
    let watch = group.cgroup.watch_oom().unwrap();
    // On v2 there may be news of a cgroup beside it that is removed.
    eventually(PATIENCE, "all is quiet", || {
        assert_eq!(watch.kills().unwrap(), 0);
        (!has_news(&watch, PollFlags::POLLIN, 0)).then_some(())
    });
    group.start("x=$(head -c 100000000 /dev/zero | tr '\\0' x)");
    assert!(has_news(&watch, PollFlags::POLLIN, 60_000));
    eventually(PATIENCE, "the count is raised", || {
        (watch.kills().unwrap() >= 1).then_some(())
    });
}

#[test]
fn a_watch_tells_that_its_cgroup_is_gone() {
    if !requires(&[Need::Root]) {
        return;
    }
    let mut group = Group::new();
    let watch = group.cgroup.watch_oom().unwrap();
    group.cgroup.remove().unwrap();
    assert!(has_news(&watch, PollFlags::POLLIN, 60_000));
    assert!(watch.kills().is_err());
}

#[test]
fn two_processes_on_one_processor_lose_time_and_it_is_told() {
    if !requires(&[Need::Root]) {
        return;
    }
    let cpus = "0".parse().ok();
    let mut group = Group::with(&Limits { cpus, ..Limits::default() });
    let trigger = trigger(Duration::from_millis(100));
    let v1 = group.cgroup.version() == Version::V1;
    let pressure = |group: &Group| match v1 {
        true => Pressure::of_machine(Resource::Cpu).unwrap(),
        false => group.cgroup.pressure(Resource::Cpu).unwrap(),
    };
    // Before the watch: what others lose on a busy machine is news, too.
    let before = pressure(&group).some.total;
    let watch = match v1 {
        true => PressureWatch::of_machine(Resource::Cpu, trigger),
        false => group.cgroup.watch_pressure(Resource::Cpu, trigger),
    };
    let watch = watch.unwrap();
    group.start("while :; do :; done");
    group.start("while :; do :; done");
    assert!(has_news(&watch, PollFlags::POLLPRI, 60_000));
    let lost = pressure(&group).some.total.saturating_sub(before);
    assert!(lost >= Duration::from_millis(50), "{lost:?}");
}

#[test]
fn a_window_that_the_kernel_does_not_take_is_explained() {
    if !requires(&[Need::Root]) {
        return;
    }
    let long = Trigger {
        window: Duration::from_secs(11),
        ..trigger(Duration::from_millis(100))
    };
    let error = PressureWatch::of_machine(Resource::Memory, long).unwrap_err();
    assert_eq!(error.errno, Errno::EINVAL);
    assert!(error.to_string().contains("\nhint: the window is"), "{error}");
}

#[test]
fn v1_says_that_it_has_no_pressure_of_a_cgroup() {
    if !requires(&[Need::Root, Need::CgroupV1]) {
        return;
    }
    let group = Group::new();
    let error = group.cgroup.pressure(Resource::Memory).unwrap_err();
    assert_eq!(error.errno, Errno::ENOENT);
    assert!(error.to_string().contains("/proc/pressure/memory"), "{error}");
}
