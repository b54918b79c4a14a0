//! One network device in one network namespace: found by name, asked for its
//! addresses, moved, set up.

use crate::netlink::{Netlink, Request, attributes, number};
use namespaces::{Result, SyscallError};
use nix::errno::Errno;
use nix::libc::{
    IFA_ADDRESS, IFA_BROADCAST, IFA_F_NODAD, IFA_F_NOPREFIXROUTE,
    IFA_F_PERMANENT, IFA_FLAGS, IFA_LOCAL, IFF_UP, IFLA_IFNAME, IFLA_NET_NS_FD,
    IFLA_NEW_IFINDEX, NLM_F_CREATE, NLM_F_EXCL, RT_SCOPE_UNIVERSE, RTM_GETADDR,
    RTM_GETLINK, RTM_NEWADDR, RTM_NEWLINK,
};
use std::os::fd::{AsRawFd, BorrowedFd};

/// Bytes of a device's name: IFNAMSIZ without the end of the string.
pub(super) const NAME_MAX: usize = 15;

/// A device, by the number that it has in its namespace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) index: u32,
    pub(super) is_up: bool,
}

/// An address, as the kernel gave it and takes it back.
#[derive(Debug)]
pub(super) struct Address {
    /// Family and length of the prefix.
    head: [u8; 2],
    attributes: Vec<(u16, Vec<u8>)>,
}

/// struct ifinfomsg and struct ifaddrmsg.
const LINK: usize = 16;
const ADDRESS: usize = 8;

/// Not in the libc crate.
const IFA_RT_PRIORITY: u16 = 9;

/// What an address is, and where. Not its label, which names the device, and
/// not how long it is still good for: for ever.
const KEPT: [u16; 4] = [IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST, IFA_RT_PRIORITY];

/// Some numbers to ask for if a device's own is taken where it goes.
const STEP: u32 = 10_000;
const TRIES: u32 = 16;

impl Link {
    /// The first device of every network namespace.
    pub(super) const LOOPBACK: Self = Self { index: 1, is_up: false };

    /// Finds a device.
    ///
    /// # Errors
    /// ENODEV: there is none of that name.
    ///
    /// Source: rtnetlink(7), `RTM_GETLINK`
    pub(super) fn named(netlink: &Netlink, name: &str) -> Result<Self> {
        let call = format!("RTM_GETLINK({name:?})");
        let request = Request::new(RTM_GETLINK, 0, &[0; LINK])
            .with(IFLA_IFNAME, &c_string(name));
        let answer = netlink.get(&request, &call)?;
        let index = number(&answer.payload, 4);
        let flags = number(&answer.payload, 8);
        let (Some(index), Some(flags)) = (index, flags) else {
            return Err(SyscallError::new(call, Errno::EBADMSG));
        };
        Ok(Self { index, is_up: flags & IFF_UP as u32 != 0 })
    }

    /// Lists the addresses that somebody has given it for the outside: global,
    /// and for good.
    ///
    /// # Errors
    /// EBUSY: they kept changing.
    ///
    /// Source: rtnetlink(7), `RTM_GETADDR`
    pub(super) fn addresses(&self, netlink: &Netlink) -> Result<Vec<Address>> {
        let request = Request::new(RTM_GETADDR, 0, &[0; ADDRESS]);
        let all = netlink.list(&request, "RTM_GETADDR")?;
        let of_this = |payload: &Vec<u8>| {
            number(payload, 4) == Some(self.index)
                && payload[3] == RT_SCOPE_UNIVERSE
                && address_flags(payload) & IFA_F_PERMANENT != 0
        };
        let payloads = all.into_iter().map(|answer| answer.payload);
        Ok(payloads.filter(of_this).map(|it| address(&it)).collect())
    }

    /// Moves it to another network namespace, and gives it a name there. We ask
    /// for its number too: whoever moves a device as `eth%d` knows no name to
    /// find it by.
    ///
    /// # Errors
    /// EEXIST: the name is taken. EINVAL: it cannot leave. EPERM: not ours.
    ///
    /// Source: rtnetlink(7); `IFLA_NEW_IFINDEX`, Linux 5.13 (2021-06)
    pub(super) fn move_to(
        &self,
        from: &Netlink,
        to: BorrowedFd<'_>,
        name: &str,
    ) -> Result<Self> {
        let call = format!("RTM_NEWLINK({name:?}, IFLA_NET_NS_FD)");
        let mut moved = Err(SyscallError::new(&call, Errno::EBUSY));
        for index in (0..TRIES).map(|n| self.index + n * STEP) {
            let request = Request::new(RTM_NEWLINK, 0, &self.body(0))
                .with(IFLA_NET_NS_FD, &to.as_raw_fd().to_ne_bytes())
                .with(IFLA_NEW_IFINDEX, &index.to_ne_bytes())
                .with(IFLA_IFNAME, &c_string(name));
            moved = from.change(&request, &call);
            match &moved {
                Err(error) if error.errno == Errno::EBUSY => {}
                _ => return moved.map(|()| Self { index, is_up: false }),
            }
        }
        moved.map(|()| *self)
    }

    /// Gives it an address.
    ///
    /// # Errors
    /// EEXIST: it has it. EACCES: IPv6 is switched off here.
    ///
    /// Source: rtnetlink(7), `RTM_NEWADDR`
    pub(super) fn add(
        &self,
        address: &Address,
        netlink: &Netlink,
    ) -> Result<()> {
        let mut body = Vec::from(address.head);
        body.extend([0, RT_SCOPE_UNIVERSE]);
        body.extend(self.index.to_ne_bytes());
        let flags = NLM_F_CREATE | NLM_F_EXCL;
        let request = Request::new(RTM_NEWADDR, flags, &body);
        let add = |request: Request, (kind, value): &(u16, Vec<u8>)| {
            request.with(*kind, value)
        };
        let request = address.attributes.iter().fold(request, add);
        netlink.change(&request, "RTM_NEWADDR")
    }

    /// Sets it up.
    ///
    /// # Errors
    /// EPERM: no CAP_NET_ADMIN over its namespace.
    ///
    /// Source: rtnetlink(7), `IFF_UP`
    pub(super) fn set_up(&self, netlink: &Netlink) -> Result<()> {
        let request = Request::new(RTM_NEWLINK, 0, &self.body(IFF_UP as u32));
        netlink.change(&request, "RTM_NEWLINK(IFF_UP)")
    }

    /// Family, type, number, flags, and which of the flags are meant.
    fn body(&self, flags: u32) -> Vec<u8> {
        [0, self.index, flags, flags].map(u32::to_ne_bytes).concat()
    }
}

fn address(payload: &[u8]) -> Address {
    let kept = |(kind, _): &(u16, &[u8])| KEPT.contains(kind);
    let all = attributes(payload, ADDRESS);
    let mut kept: Vec<_> = all
        .into_iter()
        .filter(kept)
        .map(|(kind, value)| (kind, value.to_owned()))
        .collect();
    let flags = address_flags(payload) & (IFA_F_NODAD | IFA_F_NOPREFIXROUTE);
    if flags != 0 {
        kept.push((IFA_FLAGS, flags.to_ne_bytes().into()));
    }
    Address { head: [payload[0], payload[1]], attributes: kept }
}

/// In a byte, and where that is too small in an attribute.
fn address_flags(payload: &[u8]) -> u32 {
    let all = attributes(payload, ADDRESS);
    let wide = all.iter().find(|(kind, _)| *kind == IFA_FLAGS);
    let wide = wide.and_then(|(_, value)| number(value, 0));
    wide.unwrap_or_else(|| u32::from(payload[2]))
}

fn c_string(name: &str) -> Vec<u8> {
    [name.as_bytes(), b"\0"].concat()
}
