//! Asking Docker or Podman through their socket: one bounded question, never longer than its deadline.

use super::Identity;
use super::calls::Said;
use super::files::docker_description;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use serde_json::Value;
use std::io::{self, Read, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

const MAXIMUM_ANSWER: usize = 8 << 20;

/// What the daemon behind a socket says of a container.
pub(super) fn inspect(socket: &Path, identity: &Identity, deadline: Instant) -> Said {
    let value = match get(
        socket,
        &format!("/containers/{}/json", identity.full_id),
        deadline,
    ) {
        Ok(value) => value,
        Err(said) => return said,
    };
    let mut info = docker_description(identity, &value, None);
    let id = &info.image_id;
    let plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if plain && (info.digest.is_empty() || info.image.is_empty()) {
        // Without this answer, the rest is still worth having.
        if let Ok(image) = get(socket, &format!("/images/sha256:{id}/json"), deadline) {
            let first = |name: &str| -> Option<String> {
                let names = image.get(name)?.as_array()?;
                names.first()?.as_str().map(str::to_owned)
            };
            if info.image.is_empty()
                && let Some(tag) = first("RepoTags")
            {
                info.set_image(&tag);
            }
            if let Some(digest) = first("RepoDigests")
                && let Some((_, digest)) = digest.split_once('@')
            {
                digest.clone_into(&mut info.digest);
            }
        }
    }
    Said::Known(Box::new(info))
}

/// What a path holds; else what that says of the daemon.
fn get(socket: &Path, path: &str, deadline: Instant) -> Result<Value, Said> {
    match exchange(socket, path, deadline) {
        Ok(Some(body)) => serde_json::from_slice(&body).map_err(|_| Said::Nothing),
        Ok(None) => Err(Said::NotKnown),
        Err(error) => Err(match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Said::Silent,
            // No daemon there, or one that speaks something else.
            _ => Said::Nothing,
        }),
    }
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    Ok(left)
}

fn exchange(socket: &Path, path: &str, deadline: Instant) -> io::Result<Option<Vec<u8>>> {
    // A connection to a daemon whose queue is full would wait without end: so it is tried without waiting.
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let descriptor = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::connect(&descriptor, &SocketAddrUnix::new(socket)?)?;
    let mut stream = UnixStream::from(descriptor);
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(left(deadline)?))?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        stream.set_read_timeout(Some(left(deadline)?))?;
        match stream.read(&mut buffer)? {
            0 => break,
            count => answer.extend_from_slice(&buffer[..count]),
        }
        if answer.len() > MAXIMUM_ANSWER || is_whole(&answer) {
            break;
        }
    }
    Ok(body(&answer))
}

fn split_head(answer: &[u8]) -> Option<(&str, &[u8])> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((std::str::from_utf8(&answer[..end]).ok()?, &answer[end + 4..]))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Whether the answer says itself that nothing more comes.
fn is_whole(answer: &[u8]) -> bool {
    let Some((head, rest)) = split_head(answer) else {
        return false;
    };
    match header(head, "content-length").and_then(|length| length.parse::<usize>().ok()) {
        Some(length) => rest.len() >= length,
        None => rest.ends_with(b"0\r\n\r\n") && header(head, "transfer-encoding").is_some(),
    }
}

/// The body of an answer that says 200, chunks put together.
fn body(answer: &[u8]) -> Option<Vec<u8>> {
    let (head, mut rest) = split_head(answer)?;
    if head.split_ascii_whitespace().nth(1)? != "200" {
        return None;
    }
    let chunked =
        header(head, "transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
    if !chunked {
        return Some(rest.to_vec());
    }
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..end]).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        rest = rest.get(end + 2..)?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size.checked_add(2)?..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        assert_eq!(
            body(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
            Some(b"{}".to_vec())
        );
        assert_eq!(
            body(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"),
            Some(b"abcd".to_vec())
        );
        for broken in [
            &b"HTTP/1.1 404 Not Found\r\n\r\n{}"[..],
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
            b"nonsense",
            b"",
        ] {
            assert_eq!(body(broken), None);
        }
    }
}
