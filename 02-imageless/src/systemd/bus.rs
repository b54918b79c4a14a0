//! The four things that we say to systemd, over the machine's D-Bus: subscribe,
//! start a scope, change it, stop it. Starting and stopping are *jobs*: the call
//! returns at once, and a signal tells when the job is over.

use super::Scope;
use super::properties::{Properties, Property};
use anyhow::{Context, Result, bail, ensure};
use nix::unistd::{Pid, geteuid};
use rustbus::connection::Timeout;
use rustbus::message_builder::MessageType;
use rustbus::message_builder::{MarshalledMessage, MessageBuilder};
use rustbus::standard_messages::add_match;
use rustbus::wire::ObjectPath;
use rustbus::{RpcConn, wire::marshal::traits::Variant};
use std::time::Duration;

/// Long for systemd, which may be starting a machine; short for one who waits.
const LIMIT: Timeout = Timeout::Duration(Duration::from_secs(30));

const SYSTEMD: &str = "org.freedesktop.systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";

/// Makes a scope and puts a process into it. systemd makes its cgroup in its
/// own trees; when this returns, the process is there.
///
/// # Errors
/// No systemd; a unit of that name exists; a property that it refuses.
///
/// Source: org.freedesktop.systemd1(5), "StartTransientUnit()"
pub(crate) fn start(
    scope: &Scope,
    init: Pid,
    properties: Properties,
) -> Result<()> {
    let pid = u32::try_from(init.as_raw()).context("a negative pid")?;
    let text = |text: &str| Property::Text(text.to_owned());
    let own = [
        ("Description", text("a container of imageless")),
        ("Slice", text(&scope.slice)),
        ("PIDs", Property::Pids(vec![pid])),
        // All controllers, and hands off what is below.
        ("Delegate", Property::Flag(true)),
        // It has nothing to do with the machine's start and end.
        ("DefaultDependencies", Property::Flag(false)),
        // Forgotten when it is empty, also if its end was a failure.
        ("CollectMode", text("inactive-or-failed")),
    ];
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
    let all: Properties = own.chain(properties).collect();
    let mut call = manager_call("StartTransientUnit");
    let no_other_units: [OtherUnit; 0] = [];
    call.body
        .push_param4(&scope.unit, "fail", all, &no_other_units[..])
        .context("StartTransientUnit")?;
    Systemd::connect()?.job(&mut call, &scope.unit)
}

/// Changes properties until the scope ends.
///
/// # Errors
/// No systemd, no such unit, a property that it refuses.
///
/// Source: org.freedesktop.systemd1(5), "SetUnitProperties()"
pub(crate) fn set_properties(
    scope: &Scope,
    properties: Properties,
) -> Result<()> {
    if properties.is_empty() {
        return Ok(());
    }
    let mut call = manager_call("SetUnitProperties");
    const NOT_ON_DISK: bool = true;
    call.body
        .push_param3(&scope.unit, NOT_ON_DISK, properties)
        .context("SetUnitProperties")?;
    Systemd::connect()?.call(&mut call).map(drop)
}

/// Stops a scope. One that is not there has ended with its last process.
///
/// # Errors
/// No systemd.
///
/// Source: org.freedesktop.systemd1(5), "StopUnit()"
pub(crate) fn stop(scope: &Scope) -> Result<()> {
    let mut call = manager_call("StopUnit");
    call.body.push_param2(&scope.unit, "replace").context("StopUnit")?;
    match Systemd::connect()?.job(&mut call, &scope.unit) {
        Err(error) if error.to_string().contains(NO_SUCH_UNIT) => Ok(()),
        result => result,
    }
}

const NO_SUCH_UNIT: &str = "org.freedesktop.systemd1.NoSuchUnit";

/// Units that are to be started with ours: their names and properties.
type OtherUnit = (String, Vec<(String, Variant<u32>)>);

fn manager_call(method: &str) -> MarshalledMessage {
    MessageBuilder::new()
        .call(method)
        .with_interface(MANAGER)
        .on("/org/freedesktop/systemd1")
        .at(SYSTEMD)
        .build()
}

/// A connection to the bus on which systemd is heard.
struct Systemd {
    connection: RpcConn,
}

impl Systemd {
    fn connect() -> Result<Self> {
        if !geteuid().is_root() {
            bail!(
                "--systemd-cgroup: only for root: an ordinary user's systemd \
                 is not asked yet\nhint: leave it out; a delegated cgroup is \
                 used"
            );
        }
        let connection = RpcConn::system_conn(LIMIT).context(
            "--systemd-cgroup: the machine's D-Bus does not answer\nhint: \
             leave the option out where no systemd runs",
        )?;
        Ok(Self { connection })
    }

    /// Calls, and waits for the answer.
    fn call(
        &mut self,
        call: &mut MarshalledMessage,
    ) -> Result<MarshalledMessage> {
        let connection = &mut self.connection;
        let name = call.dynheader.member.clone().unwrap_or_default();
        let sent = connection.send_message(call).context("D-Bus")?;
        let serial = sent
            .write(LIMIT)
            .map_err(|(_, error)| error)
            .with_context(|| format!("D-Bus: {name}"))?;
        let answer = connection
            .wait_response(serial, LIMIT)
            .with_context(|| format!("D-Bus: {name}"))?;
        if answer.typ == MessageType::Error {
            let error = answer.dynheader.error_name.clone();
            let words = answer.body.parser().get::<String>();
            bail!(
                "systemd: {name}: {}: {}",
                error.unwrap_or_default(),
                words.unwrap_or_default()
            );
        }
        Ok(answer)
    }

    /// Starts a job on a unit, and waits for its end.
    fn job(&mut self, call: &mut MarshalledMessage, unit: &str) -> Result<()> {
        // First listen, then ask: the job may be over before the answer.
        let rule =
            format!("type='signal',interface='{MANAGER}',member='JobRemoved'");
        self.call(&mut add_match(&rule))?;
        self.call(&mut manager_call("Subscribe"))?;
        let answer = self.call(call)?;
        let job: ObjectPath<String> =
            answer.body.parser().get().context("systemd: no job")?;
        let result = loop {
            let signal = self.connection.wait_signal(LIMIT);
            let signal = signal.with_context(|| {
                format!("systemd: the job of {unit} does not end")
            })?;
            if let Some(result) = result_of(&job, &signal) {
                break result;
            }
        };
        ensure!(result == "done", "systemd: the job of {unit}: {result}");
        Ok(())
    }
}

/// Reads how a job has ended; `None`: the signal is another one's.
///
/// Source: org.freedesktop.systemd1(5), "JobRemoved"
fn result_of(
    job: &ObjectPath<String>,
    signal: &MarshalledMessage,
) -> Option<String> {
    let mut fields = signal.body.parser();
    let (_, path, _, result) =
        fields.get4::<u32, ObjectPath<String>, String, String>().ok()?;
    (path.as_ref() == job.as_ref()).then_some(result)
}
