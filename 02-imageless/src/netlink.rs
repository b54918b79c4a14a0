//! rtnetlink(7), as much of it as sets a network device up and moves it. A
//! message is a header, a struct, and attributes that each say their length:
//! bytes that can be written down by hand. One request, one answer; no library
//! for it is smaller than this file.

use namespaces::{InCall, Result, SyscallError};
use nix::errno::Errno;
use nix::libc::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NLMSG_DONE,
    NLMSG_ERROR,
};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send,
    socket,
};
use std::os::fd::{AsRawFd, OwnedFd};

/// A connection to the kernel. It belongs to the network namespace in which it
/// was opened, wherever its process goes.
#[derive(Debug)]
pub(crate) struct Netlink(OwnedFd);

/// What is sent: the header comes when all else is known.
#[derive(Debug)]
pub(crate) struct Request {
    kind: u16,
    flags: i32,
    payload: Vec<u8>,
}

/// One message of an answer.
#[derive(Debug)]
pub(crate) struct Answer {
    kind: u16,
    flags: u16,
    /// The struct and the attributes.
    pub(crate) payload: Vec<u8>,
}

/// Length, kind, flags, sequence, port.
const HEADER: usize = 16;

/// The kernel writes no longer answers at once.
const LONGEST: usize = 32 * 1024;

/// Somebody may change a list while it is read: then it is read once more.
const TRIES: u32 = 10;

impl Request {
    /// Begins one: its kind (`RTM_NEWLINK`), the flags beside the usual ones,
    /// and the struct of that kind.
    pub(crate) fn new(kind: u16, flags: i32, body: &[u8]) -> Self {
        Self { kind, flags, payload: body.to_owned() }
    }

    /// Adds an attribute: length and kind, two bytes each, the value, and what
    /// is missing to a multiple of four.
    pub(crate) fn with(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(4 + value.len())
            .expect("a value is a number, a name or an address");
        self.payload.extend(length.to_ne_bytes());
        self.payload.extend(kind.to_ne_bytes());
        self.payload.extend(value);
        self.payload.resize(self.payload.len().next_multiple_of(4), 0);
        self
    }

    fn bytes(&self, more: i32) -> Vec<u8> {
        let length = u32::try_from(HEADER + self.payload.len())
            .expect("a request has a few attributes");
        let flags = u16::try_from(self.flags | NLM_F_REQUEST | more)
            .expect("all flags are in two bytes");
        let mut bytes = Vec::from(length.to_ne_bytes());
        bytes.extend(self.kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        // Nobody else sends on this socket: no sequence and no port.
        bytes.extend([0; 8]);
        bytes.extend(&self.payload);
        bytes
    }
}

impl Netlink {
    /// Opens one in the network namespace that the process is in.
    ///
    /// # Errors
    /// EMFILE: too many descriptors.
    ///
    /// Source: netlink(7)
    pub(crate) fn open() -> Result<Self> {
        socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::NetlinkRoute,
        )
        .in_call(|| "socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)".into())
        .map(Self)
    }

    /// Has something done. `call` is for the error.
    ///
    /// # Errors
    /// What the kernel answers.
    ///
    /// Source: netlink(7), `NLM_F_ACK`
    pub(crate) fn change(&self, request: &Request, call: &str) -> Result<()> {
        self.send(request, NLM_F_ACK)?;
        self.receive(call).map(drop)
    }

    /// Asks for one thing.
    ///
    /// # Errors
    /// ENODEV: there is none.
    ///
    /// Source: rtnetlink(7), `RTM_GETLINK`
    pub(crate) fn get(&self, request: &Request, call: &str) -> Result<Answer> {
        self.send(request, 0)?;
        let answers = self.receive(call)?;
        let first = answers.into_iter().next();
        first.ok_or_else(|| SyscallError::new(call, Errno::ENODATA))
    }

    /// Asks for a list.
    ///
    /// # Errors
    /// EBUSY: it kept changing.
    ///
    /// Source: netlink(7), `NLM_F_DUMP`
    pub(crate) fn list(
        &self,
        request: &Request,
        call: &str,
    ) -> Result<Vec<Answer>> {
        for _ in 0..TRIES {
            self.send(request, NLM_F_DUMP)?;
            let answers = self.receive_all(call)?;
            if !answers.iter().any(Answer::is_interrupted) {
                return Ok(answers);
            }
        }
        Err(SyscallError::new(call, Errno::EBUSY))
    }

    fn send(&self, request: &Request, more: i32) -> Result<()> {
        let bytes = request.bytes(more);
        send(self.0.as_raw_fd(), &bytes, MsgFlags::empty())
            .in_call(|| "send(NETLINK)".into())
            .map(drop)
    }

    /// Until the message that says that it was the last one.
    fn receive_all(&self, call: &str) -> Result<Vec<Answer>> {
        let mut all = Vec::new();
        loop {
            let part = self.receive(call)?;
            let last = part.iter().any(|one| i32::from(one.kind) == NLMSG_DONE);
            all.extend(part);
            if last {
                all.retain(|one| i32::from(one.kind) != NLMSG_DONE);
                return Ok(all);
            }
        }
    }

    /// One packet, of one message or several.
    fn receive(&self, call: &str) -> Result<Vec<Answer>> {
        let mut buffer = vec![0; LONGEST];
        let length = recv(self.0.as_raw_fd(), &mut buffer, MsgFlags::empty())
            .in_call(|| "recv(NETLINK)".into())?;
        let answers = messages(&buffer[..length]);
        match answers.iter().find_map(Answer::error) {
            Some(errno) => Err(SyscallError::new(call, errno)),
            None => Ok(answers),
        }
    }
}

impl Answer {
    /// Zero says that all went well; else it is an errno, negative.
    fn error(&self) -> Option<Errno> {
        let number = number(&self.payload, 0)?.cast_signed();
        let is_error = i32::from(self.kind) == NLMSG_ERROR && number != 0;
        is_error.then(|| Errno::from_raw(-number))
    }

    fn is_interrupted(&self) -> bool {
        i32::from(self.flags) & NLM_F_DUMP_INTR != 0
    }
}

fn messages(mut bytes: &[u8]) -> Vec<Answer> {
    let mut answers = Vec::new();
    while let Some(length) = number(bytes, 0) {
        let length = length as usize;
        let Some(message) = bytes.get(..length) else { break };
        let (Some(kind), Some(payload)) =
            (number(message, 4), message.get(HEADER..))
        else {
            break;
        };
        let [kind, flags] = [kind as u16, (kind >> 16) as u16];
        answers.push(Answer { kind, flags, payload: payload.to_owned() });
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    answers
}

/// Splits the attributes behind a struct of `body` bytes.
pub(crate) fn attributes(payload: &[u8], body: usize) -> Vec<(u16, &[u8])> {
    let mut attributes = Vec::new();
    let mut rest = payload.get(body..).unwrap_or_default();
    while let Some(head) = number(rest, 0) {
        let [length, kind] = [head as u16 as usize, (head >> 16) as usize];
        let Some(value) = rest.get(4..length) else { break };
        attributes.push((kind as u16, value));
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    attributes
}

/// Reads four bytes as the machine orders them.
pub(crate) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    bytes.try_into().ok().map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_read_as_it_was_written() {
        let request = Request::new(16, 0, &[7; 8]).with(3, b"eth0\0");
        let request = request.with(28, &5_u32.to_ne_bytes());
        let found = attributes(&request.payload, 8);
        assert_eq!(found, [(3, &b"eth0\0"[..]), (28, &5_u32.to_ne_bytes())]);
        let bytes = request.bytes(NLM_F_ACK);
        let [message] = &messages(&bytes)[..] else { panic!("{bytes:?}") };
        assert_eq!((message.kind, &message.payload), (16, &request.payload));
    }

    #[test]
    fn bytes_that_end_too_soon_are_no_message_and_no_attribute() {
        let request = Request::new(16, 0, &[7; 8]).with(3, b"eth0\0");
        let bytes = request.bytes(0);
        for length in 0..bytes.len() {
            assert!(messages(&bytes[..length]).is_empty(), "{length}");
        }
        assert!(attributes(&request.payload[..10], 8).is_empty());
        // A length of nothing would be read for ever.
        assert!(attributes(&[0; 16], 8).is_empty());
        assert!(messages(&[0; 32]).is_empty());
    }
}
