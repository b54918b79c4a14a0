//! `linux.seccomp`: which system calls the container may make.

use super::driver::{Driver, on_each_runtime, on_ours};
use serde_json::{Value, json};

/// Allows all calls but those of `rules`.
fn filter(driver: &Driver, rules: Value) {
    let all = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"];
    let filter = json!({"defaultAction": "SCMP_ACT_ALLOW", "architectures": all, "syscalls": rules});
    driver.set("/linux/seccomp", filter);
}

/// Refuses mkdir(2) with ENOSPC, an errno that nothing else here gives.
fn refuse_mkdir(driver: &Driver) {
    filter(
        driver,
        json!([{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]),
    );
}

const MKDIR: &str = "mkdir /tmp/a 2>&1; grep Seccomp: /proc/self/status";
const REFUSED: &str = "mkdir: can't create directory '/tmp/a': No space left on device\nSeccomp:\t2\n";

#[test]
fn a_refused_call_gives_the_configured_errno_with_and_without_new_privileges() {
    on_each_runtime(&[], |driver| {
        driver.set_script(MKDIR);
        refuse_mkdir(driver);
        for no_new_privileges in [true, false] {
            driver.set("/process/noNewPrivileges", json!(no_new_privileges));
            assert_eq!(driver.output(), REFUSED, "{}", driver.runtime.name);
        }
    });
}

#[test]
fn a_user_without_capabilities_is_filtered_too() {
    on_each_runtime(&[], |driver| {
        driver.set_script(MKDIR);
        refuse_mkdir(driver);
        driver.set("/process/user", json!({"uid": 1000, "gid": 1000}));
        driver.set("/process/capabilities", json!({}));
        driver.set("/process/noNewPrivileges", json!(false));
        assert_eq!(driver.output(), REFUSED, "{}", driver.runtime.name);
    });
}

#[test]
fn a_forbidden_call_ends_the_process_with_sigsys() {
    on_each_runtime(&[], |driver| {
        driver.set_script("(mkdir /tmp/a); echo $?");
        filter(
            driver,
            json!([{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_KILL_PROCESS"}]),
        );
        let output = driver.output();
        assert!(output.ends_with("159\n"), "{}: {output}", driver.runtime.name);
    });
}

#[test]
fn an_argument_decides() {
    on_each_runtime(&[], |driver| {
        driver.set_script(
            "cd /tmp; >a; chmod 0700 a && chmod 0711 a 2>&1; stat -c %a a",
        );
        let eq = json!([{"index": 1, "value": 0o711, "op": "SCMP_CMP_EQ"}]);
        filter(
            driver,
            json!([{"names": ["chmod"], "action": "SCMP_ACT_ERRNO", "args": eq}]),
        );
        assert_eq!(
            driver.output(),
            "chmod: a: Operation not permitted\n700\n",
            "{}",
            driver.runtime.name
        );
    });
}

#[test]
fn a_rule_without_conditions_outweighs_one_with() {
    on_each_runtime(&[], |driver| {
        driver.set_script("mkdir /tmp/a 2>&1; true");
        let ne = json!([{"index": 1, "value": 1, "op": "SCMP_CMP_NE"}]);
        let some = json!({"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5, "args": ne});
        let always = json!({"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28});
        for rules in [json!([some, always]), json!([always, some])] {
            filter(driver, rules);
            let output = driver.output();
            let name = &driver.runtime.name;
            assert!(output.contains("No space left"), "{name}: {output}");
        }
    });
}

#[test]
fn exec_gets_the_containers_filter() {
    on_each_runtime(&["sleep", "60"], |driver| {
        refuse_mkdir(driver);
        driver.ok(&["run", "--detach"]);
        let answer = driver.call(&["exec", driver.id(), "sh", "-c", MKDIR]);
        assert_eq!(answer.stdout, REFUSED, "{}", driver.runtime.name);
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn a_call_that_no_kernel_here_has_is_passed_over() {
    on_each_runtime(&["echo", "here"], |driver| {
        filter(
            driver,
            json!([{"names": ["frobnicate"], "action": "SCMP_ACT_KILL"}]),
        );
        assert_eq!(driver.output(), "here\n", "{}", driver.runtime.name);
    });
}

#[test]
fn a_filter_may_refuse_what_the_runtime_itself_needs() {
    on_each_runtime(&[], |driver| {
        driver.set_script("echo here");
        driver.set("/process/noNewPrivileges", json!(false));
        filter(
            driver,
            json!([{"names": ["close_range"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]),
        );
        assert_eq!(driver.output(), "here\n", "{}", driver.runtime.name);
    });
}

// runc 1.1 cannot start such a container.
#[test]
fn a_filter_may_refuse_to_tell_the_working_directory() {
    on_ours(&[], |driver| {
        driver.set_script("stat -c %n ./tmp");
        driver.set("/process/noNewPrivileges", json!(false));
        driver.set("/process/cwd", json!("/"));
        filter(
            driver,
            json!([{"names": ["getcwd"], "action": "SCMP_ACT_ERRNO"}]),
        );
        let output = driver.output();
        assert!(output.contains("./tmp\n"), "{output}");
        // And then it still is no way out.
        driver.set("/process/cwd", json!("/proc/self/cwd"));
        let refused = driver.fails(&["run"]).stderr;
        assert!(
            refused.contains("RESOLVE_NO_MAGICLINKS) = ELOOP"),
            "{refused}"
        );
    });
}
