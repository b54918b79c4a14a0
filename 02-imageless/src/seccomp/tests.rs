//! Filters are run here by a small machine that does what the kernel's does.

use super::Filter;
use nix::libc::{ENOSYS, SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO};
use nix::libc::{SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_TRACE};
use serde_json::{Value, json};

const X86_64: u32 = 0xc000_003e;
const I386: u32 = 0x4000_0003;
const MKDIR: u32 = 83;

fn filter(config: Value) -> Filter {
    Filter::plan(&serde_json::from_value(config).unwrap()).unwrap()
}

fn error_of(config: Value) -> String {
    let config = serde_json::from_value(config).unwrap();
    format!("{:#}", Filter::plan(&config).unwrap_err())
}

/// struct seccomp_data as 32-bit words: number, architecture, the instruction's
/// address, six arguments.
fn ask(filter: &Filter, arch: u32, number: u32, args: &[u64]) -> u32 {
    let mut words = vec![number, arch, 0, 0];
    for i in 0..6 {
        let arg = args.get(i).copied().unwrap_or(0);
        words.extend([arg as u32, (arg >> 32) as u32]);
    }
    run(&filter.program, &words)
}

fn run(program: &[u64], words: &[u32]) -> u32 {
    let (mut at, mut a) = (0, 0);
    loop {
        let bytes = program[at].to_ne_bytes();
        let k = u32::from_ne_bytes(bytes[4..].try_into().unwrap());
        let jump = |holds: bool| usize::from(bytes[if holds { 2 } else { 3 }]);
        at += 1;
        match u16::from_ne_bytes([bytes[0], bytes[1]]) {
            0x20 => a = words[k as usize / 4],
            0x54 => a &= k,
            0x05 => at += k as usize,
            0x15 => at += jump(a == k),
            0x25 => at += jump(a > k),
            0x35 => at += jump(a >= k),
            0x06 => return k,
            code => panic!("{code:#x}"),
        }
    }
}

fn mkdir_if(args: Value) -> Value {
    json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "args": args}]})
}

const EPERM: u32 = SECCOMP_RET_ERRNO | 1;

#[test]
fn each_operator_compares_all_64_bits() {
    type Operator = fn(u64, u64) -> bool;
    let operators: [(&str, Operator); 6] = [
        ("SCMP_CMP_NE", |a, b| a != b),
        ("SCMP_CMP_LT", |a, b| a < b),
        ("SCMP_CMP_LE", |a, b| a <= b),
        ("SCMP_CMP_EQ", |a, b| a == b),
        ("SCMP_CMP_GE", |a, b| a >= b),
        ("SCMP_CMP_GT", |a, b| a > b),
    ];
    let edges = [0, 1, 0xffff_ffff, 1 << 32, (1 << 32) + 1, 5 << 32, u64::MAX];
    for (op, holds) in operators {
        for value in edges {
            let args = json!([{"index": 5, "value": value, "op": op}]);
            let filter = filter(mkdir_if(args));
            for arg in edges {
                let args = [9, 9, 9, 9, 9, arg];
                let refused = ask(&filter, X86_64, MKDIR, &args) == EPERM;
                assert_eq!(
                    refused,
                    holds(arg, value),
                    "{arg:#x} {op} {value:#x}"
                );
            }
        }
    }
}

/// Such a program can pass -1 in 32 bits only.
#[test]
fn arguments_of_a_32_bit_program_are_compared_by_their_low_half() {
    let mut config =
        mkdir_if(json!([{"index": 0, "value": u64::MAX, "op": "SCMP_CMP_EQ"}]));
    config["architectures"] = json!(["SCMP_ARCH_X86", "SCMP_ARCH_X32"]);
    let filter = filter(config);
    let minus_one = u64::from(u32::MAX);
    for (arch, number, refused) in [
        (I386, 39, true),
        (X86_64, 0x4000_0000 + MKDIR, true),
        (X86_64, MKDIR, false),
    ] {
        let answer = ask(&filter, arch, number, &[minus_one]);
        assert_eq!(answer == EPERM, refused, "{arch:#x} {number}");
    }
}

#[test]
fn a_masked_comparison_looks_at_the_masks_bits_of_both_halves() {
    let filter =
        filter(mkdir_if(json!([{"index": 0, "op": "SCMP_CMP_MASKED_EQ",
        "value": 0xff_0000_00f0_u64, "valueTwo": 0x12_0000_0030_u64}])));
    for (arg, refused) in [
        (0x12_0000_0030, true),
        (0x7700_0012_7777_773f_u64 & !0xff_0000_00c0 | 0x12_0000_0030, true),
        (0x13_0000_0030, false),
        (0x12_0000_0040, false),
    ] {
        let answer = ask(&filter, X86_64, MKDIR, &[arg]);
        assert_eq!(answer == EPERM, refused, "{arg:#x}");
    }
}

#[test]
fn conditions_on_different_arguments_must_all_hold_on_the_same_any() {
    let eq = |index: u32, value: u64| json!({"index": index, "value": value, "op": "SCMP_CMP_EQ"});
    let all = filter(mkdir_if(json!([eq(0, 1), eq(1, 2)])));
    let any = filter(mkdir_if(json!([eq(0, 1), eq(0, 2)])));
    for (args, by_all, by_any) in [
        ([1, 2], true, true),
        ([1, 9], false, true),
        ([2, 2], false, true),
        ([9, 2], false, false),
    ] {
        let ask = |filter| ask(filter, X86_64, MKDIR, &args) == EPERM;
        assert_eq!((ask(&all), ask(&any)), (by_all, by_any), "{args:?}");
    }
}

#[test]
fn a_rule_without_conditions_outweighs_those_with_some() {
    let (with, without) = (
        json!({"names": ["mkdir"], "action": "SCMP_ACT_TRACE", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}),
        json!({"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}),
    );
    for rules in [[&with, &without], [&without, &with]] {
        let filter = filter(
            json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules}),
        );
        assert_eq!(ask(&filter, X86_64, MKDIR, &[1]), EPERM);
    }
}

/// Every second call, so that no two neighbours are of one mind.
#[test]
fn every_number_gets_its_own_verdict() {
    let names = ["read", "open", "stat", "lstat", "lseek", "mprotect", "brk"];
    let numbers = [0, 2, 4, 6, 8, 10, 12];
    let filter =
        filter(json!({"defaultAction": "SCMP_ACT_TRACE", "syscalls": [
        {"names": names, "action": "SCMP_ACT_ALLOW"}]}));
    for number in 0..600 {
        let allowed = ask(&filter, X86_64, number, &[]) == SECCOMP_RET_ALLOW;
        assert_eq!(allowed, numbers.contains(&number), "{number}");
    }
}

#[test]
fn long_rules_are_jumped_over() {
    let rule = |name: &str, value: u64| json!({"names": [name], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": value, "op": "SCMP_CMP_EQ"}]});
    let names = ["read", "open", "mkdir"];
    let rules: Vec<_> = (0..100)
        .flat_map(|value| names.map(|name| rule(name, value)))
        .collect();
    let filter =
        filter(json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules}));
    for number in [0, 2, MKDIR] {
        assert_eq!(ask(&filter, X86_64, number, &[99]), EPERM, "{number}");
        let above = ask(&filter, X86_64, number, &[100]);
        assert_eq!(above, SECCOMP_RET_ALLOW, "{number}");
    }
    assert_eq!(ask(&filter, X86_64, 1, &[99]), SECCOMP_RET_ALLOW);
}

#[test]
fn calls_of_an_architecture_that_is_not_listed_end_the_process() {
    let config = |archs: &[&str]| {
        json!({"defaultAction": "SCMP_ACT_ALLOW", "architectures": archs, "syscalls": [
        {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]})
    };
    let narrow = filter(config(&["SCMP_ARCH_X86_64"]));
    let (x86_mkdir, x32_mkdir) = (39, 0x4000_0000 + MKDIR);
    assert_eq!(ask(&narrow, X86_64, MKDIR, &[]), EPERM);
    assert_eq!(ask(&narrow, I386, x86_mkdir, &[]), SECCOMP_RET_KILL_PROCESS);
    assert_eq!(ask(&narrow, X86_64, x32_mkdir, &[]), SECCOMP_RET_KILL_PROCESS);
    let all = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"];
    let wide = filter(config(&all));
    assert_eq!(ask(&wide, I386, x86_mkdir, &[]), EPERM);
    assert_eq!(ask(&wide, X86_64, x32_mkdir, &[]), EPERM);
    assert_eq!(ask(&wide, I386, MKDIR, &[]), SECCOMP_RET_ALLOW);
}

#[test]
fn a_call_newer_than_the_rules_is_not_implemented_where_the_default_forbids() {
    let answer = |default: &str, number| {
        let config = json!({"defaultAction": default, "syscalls": [
            {"names": ["mkdir", "frobnicate"], "action": "SCMP_ACT_LOG"}]});
        ask(&filter(config), X86_64, number, &[])
    };
    let not_there = SECCOMP_RET_ERRNO | ENOSYS as u32;
    assert_eq!(answer("SCMP_ACT_KILL", MKDIR + 1), not_there);
    assert_eq!(answer("SCMP_ACT_ERRNO", MKDIR - 1), EPERM);
    assert_eq!(answer("SCMP_ACT_ALLOW", MKDIR + 1), SECCOMP_RET_ALLOW);
    assert_eq!(answer("SCMP_ACT_TRACE", MKDIR + 1), SECCOMP_RET_TRACE | 1);
}

#[test]
fn what_cannot_be_meant_names_its_field() {
    let rule = |rule: Value| json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_LOG"}, rule]});
    #[rustfmt::skip]
    let table = [
        (rule(json!({"names": ["read", ""], "action": "SCMP_ACT_KILL"})), "syscalls[1]: names[1]: empty"),
        (rule(json!({"names": [], "action": "SCMP_ACT_KILL", "errnoRet": 1})), "syscalls[1]: errnoRet: SCMP_ACT_KILL gives no errno"),
        (rule(json!({"names": [], "action": "SCMP_ACT_ERRNO", "errnoRet": 4096})), "syscalls[1]: errnoRet: 4096 is above 4095"),
        (rule(json!({"names": [], "action": "SCMP_ACT_LOG"})), "syscalls[1]: names: missing or empty"),
        (rule(json!({"names": ["read"], "action": "SCMP_ACT_NOTIFY"})), "listenerPath: missing"),
        (rule(json!({"names": ["read"], "action": "SCMP_ACT_NOTIFY", "errnoRet": 1})), "syscalls[1]: errnoRet: SCMP_ACT_NOTIFY gives no errno"),
        (json!({"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x"}), "listenerMetadata: without a listenerPath"),
        (json!({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/x", "syscalls": [{"names": ["sendmsg"], "action": "SCMP_ACT_NOTIFY"}]}), "syscalls[0]: SCMP_ACT_NOTIFY for sendmsg: "),
        (rule(json!({"names": ["read"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}]})), "syscalls[1]: args[0]: index: 6 is not one of 0 to 5"),
        (json!({"defaultAction": "SCMP_ACT_NOTIFY"}), "defaultAction: SCMP_ACT_NOTIFY: the calls that tell"),
        (json!({"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1}), "defaultErrnoRet: SCMP_ACT_ALLOW gives no errno"),
    ];
    for (config, error) in table {
        let expected = format!("config.json: linux.seccomp: {error}");
        let error = error_of(config);
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn each_action_is_the_kernels() {
    #[rustfmt::skip]
    let actions = [
        ("SCMP_ACT_KILL",         0x0000_0000),
        ("SCMP_ACT_KILL_THREAD",  0x0000_0000),
        ("SCMP_ACT_KILL_PROCESS", 0x8000_0000),
        ("SCMP_ACT_TRAP",         0x0003_0000),
        ("SCMP_ACT_ERRNO",        0x0005_0001),
        ("SCMP_ACT_NOTIFY",       0x7fc0_0000),
        ("SCMP_ACT_TRACE",        0x7ff0_0001),
        ("SCMP_ACT_LOG",          0x7ffc_0000),
        ("SCMP_ACT_ALLOW",        0x7fff_0000),
    ];
    for (action, number) in actions {
        let default =
            if number == 0 { "SCMP_ACT_ALLOW" } else { "SCMP_ACT_KILL" };
        let filter =
            filter(json!({"defaultAction": default, "listenerPath": "/x",
            "syscalls": [{"names": ["mkdir"], "action": action}]}));
        assert_eq!(ask(&filter, X86_64, MKDIR, &[]), number, "{action}");
    }
}

/// What a flag is for decides whether the kernel takes it.
#[test]
fn flags_go_to_the_kernel_with_or_without_a_listener() {
    let flags = |action: &str| {
        filter(json!({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/x",
            "flags": ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
                "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
            "syscalls": [{"names": ["mkdir"], "action": action}]}))
        .flags
    };
    let (tsync, log, spec_allow, new_listener, killable) =
        (1, 1 << 1, 1 << 2, 1 << 3, 1 << 5);
    assert_eq!(flags("SCMP_ACT_LOG"), tsync | log | spec_allow);
    let listens = log | spec_allow | new_listener | killable;
    assert_eq!(flags("SCMP_ACT_NOTIFY"), listens);
}
