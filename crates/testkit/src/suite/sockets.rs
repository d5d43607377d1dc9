//! Addresses of sockets as the kernel takes them, and the messages that give the loopback device an address.

use super::description::Address;
use std::net::{IpAddr, SocketAddr};

/// The bytes of a `sockaddr`.
pub(super) fn sockaddr(address: &Address) -> Vec<u8> {
    match address {
        Address::Internet(address) => internet(*address),
        Address::Unix(path) => {
            let mut bytes = 1u16.to_ne_bytes().to_vec();
            bytes.extend_from_slice(path.as_bytes());
            bytes.push(0);
            bytes
        }
    }
}

/// The bytes of a `sockaddr_in` or `sockaddr_in6`.
pub(super) fn internet(address: SocketAddr) -> Vec<u8> {
    let mut bytes = domain(address.ip()).to_ne_bytes().to_vec();
    bytes.extend_from_slice(&address.port().to_be_bytes());
    match address.ip() {
        IpAddr::V4(ip) => {
            bytes.extend_from_slice(&ip.octets());
            bytes.extend_from_slice(&[0; 8]);
        }
        IpAddr::V6(ip) => {
            bytes.extend_from_slice(&[0; 4]);
            bytes.extend_from_slice(&ip.octets());
            bytes.extend_from_slice(&[0; 4]);
        }
    }
    bytes
}

/// The domain of an address.
pub(super) fn domain(ip: IpAddr) -> u16 {
    if ip.is_ipv4() { 2 } else { 10 }
}

/// The `sockaddr` of the kernel on a netlink socket.
pub(super) fn kernel() -> Vec<u8> {
    let mut bytes = 16u16.to_ne_bytes().to_vec();
    bytes.extend_from_slice(&[0; 10]);
    bytes
}

/// The netlink message that gives the loopback device an address of its own, or takes it away again.
pub(super) fn loopback_address(ip: IpAddr, add: bool) -> Vec<u8> {
    let octets = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let mut body = vec![
        u8::try_from(domain(ip)).unwrap_or_default(),
        u8::try_from(octets.len() * 8).unwrap_or_default(),
        // No search for duplicates: the address is usable at once.
        2,
        0,
    ];
    // The loopback device is the first of every network.
    body.extend_from_slice(&1u32.to_ne_bytes());
    // Local and peer address.
    for attribute in [2u16, 1] {
        let length = u16::try_from(octets.len() + 4).unwrap_or_default();
        body.extend_from_slice(&length.to_ne_bytes());
        body.extend_from_slice(&attribute.to_ne_bytes());
        body.extend_from_slice(&octets);
    }
    // A request that is acknowledged; a new address must not be there yet.
    let (kind, flags) = if add { (20u16, 0x605u16) } else { (21u16, 5u16) };
    let length = u32::try_from(body.len() + 16).unwrap_or_default();
    let mut message = length.to_ne_bytes().to_vec();
    message.extend_from_slice(&kind.to_ne_bytes());
    message.extend_from_slice(&flags.to_ne_bytes());
    message.extend_from_slice(&[0; 8]);
    message.extend_from_slice(&body);
    message
}

/// The result that an acknowledgement carries: 0 or a negative error.
pub(super) fn acknowledged(message: &[u8]) -> Option<i64> {
    let kind = u16::from_ne_bytes(message.get(4..6)?.try_into().ok()?);
    let result = i32::from_ne_bytes(message.get(16..20)?.try_into().ok()?);
    (kind == 2).then_some(i64::from(result))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_the_kernels_form() {
        assert_eq!(
            internet("1.2.3.4:258".parse().unwrap()),
            [2, 0, 1, 2, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0]
        );
        assert_eq!(internet("[::1]:80".parse().unwrap()).len(), 28);
        assert_eq!(sockaddr(&Address::Unix("/a".to_owned())), [1, 0, b'/', b'a', 0]);
    }

    #[test]
    fn messages_tell_their_lengths() {
        let message = loopback_address("203.0.113.10".parse().unwrap(), true);
        assert_eq!(message.len(), 40);
        assert_eq!(message[..8], [40, 0, 0, 0, 20, 0, 5, 6]);
        assert_eq!(message[16..24], [2, 32, 2, 0, 1, 0, 0, 0]);
        assert_eq!(loopback_address("2001:db8::1".parse().unwrap(), false).len(), 64);
    }

    #[test]
    fn acknowledgements_carry_results() {
        let mut message = vec![0; 36];
        message[4] = 2;
        message[16..20].copy_from_slice(&(-17i32).to_ne_bytes());
        assert_eq!(acknowledged(&message), Some(-17));
        assert_eq!(acknowledged(&message[..10]), None);
    }
}
