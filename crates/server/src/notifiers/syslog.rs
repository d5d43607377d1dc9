//! Alerts for syslog servers: UDP, TCP, TLS, or the local socket.

use super::{Kind, MakeStdout, Notifier, Plan, SendError};
use crate::destination::{Target, Transport};
use crate::http::certificates;
use model::Meta;
use model::event::Alert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::time::Duration;

/// The member.
pub(super) static SYSLOG: Syslog = Syslog;

pub(super) struct Syslog;

static META: Meta = Meta {
    name: "syslog",
    title: "Syslog servers, by RFC 5424 messages",
    finds: &[
        "`syslog=udp://HOST:514`: one datagram an alert, cut at 8 KiB (RFC 5426)",
        "`syslog=tcp://HOST:601`: a stream with the length before each message (RFC 6587)",
        "`syslog=tls://HOST:6514`: the same inside TLS (RFC 5425), with `ca`, `certificate` and `key`",
        "`syslog=unix:///dev/log`: the local daemon",
        "broken connections are made again; syslog confirms nothing, so what was in flight may be lost",
    ],
    needs: &[model::Need::Network],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc5425",
        "https://www.rfc-editor.org/rfc/rfc5426",
        "https://www.rfc-editor.org/rfc/rfc6587",
    ],
};

/// What servers are sure to take in one datagram.
const MAX_DATAGRAM: usize = 8 * 1024;

impl Kind for Syslog {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn takes(&self, target: &Target) -> bool {
        matches!(target, Target::Syslog(..))
    }

    fn open(&self, plan: Plan, _stdout: &MakeStdout<'_>) -> Result<Box<dyn Notifier>, String> {
        let Target::Syslog(transport, address) = plan.destination.target.clone() else {
            return Err("is no syslog server".to_owned());
        };
        let tls = match transport {
            Transport::Tls => Some(client(&plan, &address)?),
            _ => None,
        };
        Ok(Box::new(Sender {
            time: Duration::from_secs(plan.settings.timeout_seconds),
            plan,
            transport,
            address,
            tls,
            connection: None,
        }))
    }
}

struct Sender {
    plan: Plan,
    transport: Transport,
    address: String,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    time: Duration,
    connection: Option<Connection>,
}

enum Connection {
    Udp(UdpSocket),
    Unix(UnixDatagram),
    Tcp(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Notifier for Sender {
    fn batch(&self) -> usize {
        1
    }

    fn encode(&self, alerts: &[&Alert]) -> Vec<u8> {
        let mut body = self.plan.encode(alerts);
        if body.last() == Some(&b'\n') {
            body.pop();
        }
        body
    }

    fn send(&mut self, body: &[u8]) -> Result<(), SendError> {
        let name = self.plan.destination.name();
        let sent = self.try_send(body);
        if sent.is_err() {
            self.connection = None;
        }
        sent.map_err(|error| SendError::again(format!("{name}: {error}")))
    }
}

impl Sender {
    fn try_send(&mut self, body: &[u8]) -> io::Result<()> {
        if self
            .connection
            .as_mut()
            .is_some_and(|connection| !connection.is_alive())
        {
            self.connection = None;
        }
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(connect(
                self.transport,
                &self.address,
                self.tls.as_ref(),
                self.time,
            )?),
        };
        match connection {
            Connection::Udp(socket) => socket.send(datagram(body)).map(drop),
            Connection::Unix(socket) => socket.send(datagram(body)).map(drop),
            Connection::Tcp(stream) => write_counted(stream, body),
            Connection::Tls(stream) => write_counted(&mut **stream, body),
        }
    }
}

/// A message cut to what fits into a datagram, not inside a character.
fn datagram(body: &[u8]) -> &[u8] {
    let mut end = body.len().min(MAX_DATAGRAM);
    while end > 0 && end < body.len() && body.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
        end -= 1;
    }
    body.get(..end).unwrap_or_default()
}

/// The length, a blank, the message.
fn write_counted(stream: &mut impl Write, body: &[u8]) -> io::Result<()> {
    let mut frame = format!("{} ", body.len()).into_bytes();
    frame.extend_from_slice(body);
    stream.write_all(&frame)?;
    stream.flush()
}

fn connect(
    transport: Transport,
    address: &str,
    tls: Option<&(Arc<ClientConfig>, ServerName<'static>)>,
    time: Duration,
) -> io::Result<Connection> {
    if transport == Transport::Unix {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(time))?;
        socket.connect(address)?;
        return Ok(Connection::Unix(socket));
    }
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for resolved in address.to_socket_addrs()? {
        match connect_to(transport, resolved, tls, time) {
            Ok(connection) => return Ok(connection),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn connect_to(
    transport: Transport,
    address: SocketAddr,
    tls: Option<&(Arc<ClientConfig>, ServerName<'static>)>,
    time: Duration,
) -> io::Result<Connection> {
    if transport == Transport::Udp {
        let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any)?;
        socket.connect(address)?;
        return Ok(Connection::Udp(socket));
    }
    let mut stream = TcpStream::connect_timeout(&address, time)?;
    stream.set_read_timeout(Some(time))?;
    stream.set_write_timeout(Some(time))?;
    stream.set_nodelay(true)?;
    match tls {
        None => Ok(Connection::Tcp(stream)),
        Some((config, name)) => {
            let mut connection =
                ClientConnection::new(Arc::clone(config), name.clone()).map_err(io::Error::other)?;
            // A wrong certificate shows now, not at the first alert after it.
            while connection.is_handshaking() {
                connection.complete_io(&mut stream)?;
            }
            Ok(Connection::Tls(Box::new(StreamOwned::new(connection, stream))))
        }
    }
}

impl Connection {
    /// False when the server has closed, which writing would notice one message too late.
    fn is_alive(&mut self) -> bool {
        match self {
            Self::Udp(_) | Self::Unix(_) => true,
            Self::Tcp(stream) => without_waiting(stream, |stream| match stream.peek(&mut [0]) {
                Ok(read) => read > 0,
                Err(error) => error.kind() == io::ErrorKind::WouldBlock,
            }),
            Self::Tls(stream) => {
                let StreamOwned { conn, sock } = &mut **stream;
                without_waiting(sock, |sock| {
                    loop {
                        match conn.read_tls(sock) {
                            Ok(0) => return false,
                            Ok(_) => match conn.process_new_packets() {
                                Ok(state) if !state.peer_has_closed() => {}
                                _ => return false,
                            },
                            Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
                        }
                    }
                })
            }
        }
    }
}

fn without_waiting(stream: &mut TcpStream, look: impl FnOnce(&mut TcpStream) -> bool) -> bool {
    if stream.set_nonblocking(true).is_err() {
        return false;
    }
    let alive = look(stream);
    stream.set_nonblocking(false).is_ok() && alive
}

fn client(plan: &Plan, address: &str) -> Result<(Arc<ClientConfig>, ServerName<'static>), String> {
    let settings = &plan.settings;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = &settings.ca {
        for certificate in certificates(path).map_err(|error| error.to_string())? {
            roots
                .add(certificate)
                .map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    if roots.is_empty() {
        return Err("there are no roots to check the server's certificate with; give `ca`".to_owned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    let config = match (&settings.certificate, &settings.key) {
        (Some(certificate), Some(key)) => {
            let chain = certificates(certificate).map_err(|error| error.to_string())?;
            let key = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| format!("{} holds no private key in PEM form: {error}", key.display()))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| format!("certificate and key do not fit: {error}"))?
        }
        _ => builder.with_no_client_auth(),
    };
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(host.clone()).map_err(|_| format!("`{host}` is no name of a host"))?;
    Ok((Arc::new(config), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams_are_cut_between_characters() {
        assert_eq!(datagram(b"short"), b"short");
        let text = "é".repeat(MAX_DATAGRAM);
        assert_eq!(datagram(text.as_bytes()).len(), MAX_DATAGRAM);
        let text = format!("a{text}");
        let cut = datagram(text.as_bytes());
        assert_eq!(cut.len(), MAX_DATAGRAM - 1);
        assert!(std::str::from_utf8(cut).is_ok());
        // What is no UTF-8 is cut, too.
        assert!(datagram(&[0x80; 2 * MAX_DATAGRAM]).len() <= MAX_DATAGRAM);
    }
}
