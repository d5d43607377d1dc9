//! Both ends of a socket, which of them is the server, and how they are written.

use crate::wire::{Record, Socket, Tag};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::borrow::Cow;

/// Address families.
pub(crate) const AF_UNIX: u16 = 1;
pub(crate) const AF_INET: u16 = 2;
pub(crate) const AF_INET6: u16 = 10;
pub(crate) const AF_NETLINK: u16 = 16;

/// An address and a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
}

impl End {
    fn new(family: u16, bytes: &[u8; 16], port: u16) -> Self {
        let [a, b, c, d, ..] = *bytes;
        let address = if family == AF_INET {
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        } else {
            Ipv6Addr::from(*bytes).to_canonical()
        };
        Self { address, port }
    }

    /// Reads a `sockaddr` of IP.
    fn of_address(bytes: &[u8]) -> Option<Self> {
        let family = u16::from_le_bytes(*bytes.first_chunk::<2>()?);
        let port = u16::from_be_bytes(*bytes.get(2..)?.first_chunk::<2>()?);
        let address = match family {
            AF_INET => IpAddr::V4(Ipv4Addr::from(*bytes.get(4..)?.first_chunk::<4>()?)),
            AF_INET6 => Ipv6Addr::from(*bytes.get(8..)?.first_chunk::<16>()?).to_canonical(),
            _ => return None,
        };
        Some(Self { address, port })
    }

    pub(crate) fn text(self) -> String {
        format!("{}:{}", self.address, self.port)
    }
}

/// What Falco calls the role of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// No connection yet.
    None,
    /// This end asked.
    Client,
    /// This end was asked.
    Server,
    /// Waits to be asked.
    Listener,
}

/// A socket of IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Connection {
    pub(crate) local: End,
    pub(crate) remote: Option<End>,
    pub(crate) role: Role,
    pub(crate) is_v6: bool,
    /// Whether the kernel's socket has a peer of its own.
    pub(crate) connected: bool,
}

/// How a call uses a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Connect,
    Accept,
    Listen,
    Send,
    Receive,
    Other,
}

impl Connection {
    /// The connection that a record speaks of, in a call of this kind that returned `ret`.
    pub(crate) fn of(record: &Record<'_>, tag: Tag, how: Use) -> Option<Self> {
        let socket = record.socket(tag);
        let address = record.chunk(Tag::Address).and_then(End::of_address);
        let Some(socket) = socket.filter(|socket| matches!(socket.family, AF_INET | AF_INET6)) else {
            // io_uring tells of the request alone, so of its address.
            let remote = address.filter(|_| matches!(how, Use::Connect | Use::Send))?;
            return Some(Self {
                local: End {
                    address: match remote.address {
                        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
                        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
                    },
                    port: 0,
                },
                remote: Some(remote),
                role: Role::Client,
                is_v6: remote.address.is_ipv6(),
                connected: false,
            });
        };
        let local = End::new(socket.family, &socket.local, socket.local_port);
        let peer = End::new(socket.family, &socket.remote, socket.remote_port);
        let has_peer = socket.remote_port != 0;
        let given = address.filter(|_| matches!(how, Use::Connect | Use::Send | Use::Receive));
        let remote = given.or(has_peer.then_some(peer));
        let role = match (socket.role, how) {
            (_, Use::Connect) | (1, _) => Role::Client,
            (_, Use::Accept) | (2, _) => Role::Server,
            _ if socket.state == 10 || how == Use::Listen => Role::Listener,
            // Bound without a peer: for Falco whoever has a port serves there. The number of a raw socket is no port.
            _ if remote.is_none() && socket.kind != 3 && local.port != 0 => Role::Listener,
            _ if remote.is_none() => Role::None,
            (_, Use::Receive) => Role::Server,
            _ => Role::Client,
        };
        // A family that both versions share is named by the address.
        let is_v6 = remote.unwrap_or(local).address.is_ipv6();
        Some(Self {
            local,
            remote,
            role,
            is_v6,
            // A stream that is still being set up has a peer, but no connection.
            connected: has_peer
                && !matches!(role, Role::Listener)
                && (socket.kind != 1 || !matches!(socket.state, 0 | 2 | 3 | 7 | 12)),
        })
    }

    pub(crate) fn client(&self) -> Option<End> {
        match self.role {
            Role::Client => Some(self.local),
            Role::Server => self.remote,
            Role::None | Role::Listener => None,
        }
    }

    pub(crate) fn server(&self) -> Option<End> {
        match self.role {
            Role::Client => self.remote,
            Role::Server | Role::Listener => Some(self.local),
            Role::None => None,
        }
    }

    /// `client:port->server:port`, or `address:port` of one that listens; nothing for one without a peer.
    pub(crate) fn name(&self) -> String {
        match (self.client(), self.server()) {
            (Some(client), Some(server)) => format!("{}->{}", client.text(), server.text()),
            (None, Some(server)) => server.text(),
            _ => String::new(),
        }
    }
}

/// `tcp`, `udp`, `icmp` or `raw`.
pub(crate) fn protocol(socket: &Socket) -> Option<&'static str> {
    if !matches!(socket.family, AF_INET | AF_INET6) {
        return None;
    }
    match (socket.kind, socket.protocol) {
        (_, 6) | (1, _) => Some("tcp"),
        (_, 1 | 58) => Some("icmp"),
        (_, 17) | (2, _) => Some("udp"),
        (3, _) => Some("raw"),
        _ => None,
    }
}

/// `source->peer path`: Falco gives kernel addresses, which no rule can know; here the socket's own number stands first.
pub(crate) fn unix_name(record: &Record<'_>, socket: Option<&Socket>) -> Vec<u8> {
    let path = unix_path(record).unwrap_or_default();
    let cookie = socket.map_or(0, |socket| socket.cookie);
    let mut name = format!("{cookie:x}->0").into_bytes();
    if !path.is_empty() {
        name.push(b' ');
        name.extend_from_slice(&path);
    }
    name
}

/// The path of a Unix socket: the kernel's, or else the one that was asked for. Abstract names get `@`.
pub(crate) fn unix_path<'a>(record: &Record<'a>) -> Option<Cow<'a, [u8]>> {
    let path = match record.text(Tag::UnixPath) {
        Some(path) if !path.is_empty() => path,
        _ => {
            let address = record.chunk(Tag::Address)?;
            let family = u16::from_le_bytes(*address.first_chunk::<2>()?);
            (family == AF_UNIX).then(|| address.get(2..))??
        }
    };
    if let Some(name) = path.strip_prefix(b"\0") {
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        if end == 0 {
            return None;
        }
        return Some([b"@", &name[..end]].concat().into());
    }
    let end = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
    (end > 0).then(|| path[..end].into())
}

/// An address as parameters show it.
pub(crate) fn address_text<'a>(record: &Record<'a>) -> Option<Cow<'a, [u8]>> {
    let address = record.chunk(Tag::Address)?;
    let family = u16::from_le_bytes(*address.first_chunk::<2>()?);
    match family {
        AF_UNIX => unix_path(record),
        AF_INET | AF_INET6 => Some(End::of_address(address)?.text().into_bytes().into()),
        _ => Some(format!("family {family}").into_bytes().into()),
    }
}

/// The name of the service at a port, of the commonest.
pub(crate) fn service(port: u16, is_udp: bool) -> Option<&'static str> {
    SERVICES
        .iter()
        .find(|(number, udp, _)| *number == port && (!is_udp || *udp))
        .map(|(_, _, name)| *name)
}

/// Port, whether it is used with UDP, and the name that IANA gives.
#[rustfmt::skip]
static SERVICES: &[(u16, bool, &str)] = &[
    (7, true, "echo"), (20, false, "ftp-data"), (21, false, "ftp"), (22, false, "ssh"), (23, false, "telnet"),
    (25, false, "smtp"), (53, true, "domain"), (67, true, "bootps"), (68, true, "bootpc"), (69, true, "tftp"),
    (80, false, "http"), (88, true, "kerberos"), (110, false, "pop3"), (111, true, "sunrpc"), (119, false, "nntp"),
    (123, true, "ntp"), (137, true, "netbios-ns"), (139, false, "netbios-ssn"), (143, false, "imap2"),
    (161, true, "snmp"), (162, true, "snmp-trap"), (179, false, "bgp"), (389, true, "ldap"), (443, true, "https"),
    (445, false, "microsoft-ds"), (465, false, "submissions"), (500, true, "isakmp"), (514, true, "syslog"),
    (587, false, "submission"), (636, false, "ldaps"), (853, true, "domain-s"), (873, false, "rsync"),
    (993, false, "imaps"), (995, false, "pop3s"), (1080, false, "socks"), (1194, true, "openvpn"),
    (1433, false, "ms-sql-s"), (2049, true, "nfs"), (2375, false, "docker"), (2376, false, "docker-s"),
    (2379, false, "etcd-client"), (2380, false, "etcd-server"), (3128, false, "squid"), (3306, false, "mysql"),
    (3389, false, "ms-wbt-server"), (4317, false, "otlp"), (5222, false, "xmpp-client"), (5353, true, "mdns"),
    (5432, false, "postgresql"), (5672, false, "amqp"), (6379, false, "redis"), (6443, false, "sun-sr-https"),
    (8080, false, "http-alt"), (9092, false, "kafka"), (9200, false, "elasticsearch"), (11211, false, "memcache"),
    (27017, false, "mongodb"),
];
