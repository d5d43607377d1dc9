//! A small HTTP server on loopback or a Unix socket that answers as a test wants, also badly, and records what it was asked.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// One request as it came in.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `GET`
    pub method: String,
    /// Path with the query, as sent.
    pub target: String,
    /// In the order in which they came; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, if it had a length.
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The path without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What a test answers.
#[derive(Clone, Debug)]
pub struct Answer {
    /// `200`
    pub status: u16,
    /// Besides `Content-Length` and `Connection: close`.
    pub headers: Vec<(String, String)>,
    /// What the body says.
    pub body: Vec<u8>,
    /// How it ends.
    pub ending: Ending,
}

/// How an answer ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As announced.
    Whole,
    /// The connection breaks after this many bytes of the body.
    CutAfter(usize),
    /// The body is chunked and repeats for ever.
    Endless,
    /// The connection breaks before anything is answered.
    NoAnswer,
    /// Nothing is answered and the connection stays open.
    Silence,
    /// The body is all that is sent: no status, no headers.
    Raw,
    /// After the headers the connection is joined to another server.
    Tunnel(SocketAddr),
}

impl Answer {
    /// A status with a body.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            ending: Ending::Whole,
        }
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The same, ending differently.
    #[must_use]
    pub fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }
}

/// A running server; it ends when dropped.
pub struct Server {
    address: Option<SocketAddr>,
    #[cfg(unix)]
    socket: Option<std::path::PathBuf>,
    requests: Arc<Mutex<Vec<Request>>>,
    stopping: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

type Handler = dyn Fn(&Request) -> Answer + Send + Sync;

/// Either kind of connection.
trait Stream: Read + Write + Send + Sized + 'static {
    fn duplicate(&self) -> io::Result<Self>;
}

impl Stream for TcpStream {
    fn duplicate(&self) -> io::Result<Self> {
        self.try_clone()
    }
}

#[cfg(unix)]
impl Stream for std::os::unix::net::UnixStream {
    fn duplicate(&self) -> io::Result<Self> {
        self.try_clone()
    }
}

impl Server {
    /// Listens on a free port of 127.0.0.1.
    pub fn start(handler: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = Self::stopped();
        server.address = Some(address);
        server.accept(move || listener.accept().map(|(stream, _)| stream), handler);
        server
    }

    /// Listens on a Unix socket.
    #[cfg(unix)]
    pub fn start_unix(
        path: &std::path::Path,
        handler: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = std::os::unix::net::UnixListener::bind(path).unwrap();
        let mut server = Self::stopped();
        server.socket = Some(path.to_owned());
        server.accept(move || listener.accept().map(|(stream, _)| stream), handler);
        server
    }

    fn stopped() -> Self {
        Self {
            address: None,
            #[cfg(unix)]
            socket: None,
            requests: Arc::default(),
            stopping: Arc::default(),
            accepting: None,
        }
    }

    fn accept<S: Stream>(
        &mut self,
        next: impl Fn() -> io::Result<S> + Send + 'static,
        handler: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) {
        let handler: Arc<Handler> = Arc::new(handler);
        let requests = Arc::clone(&self.requests);
        let stopping = Arc::clone(&self.stopping);
        self.accepting = Some(std::thread::spawn(move || {
            while let Ok(stream) = next() {
                if stopping.load(Ordering::Relaxed) {
                    return;
                }
                let (handler, requests) = (Arc::clone(&handler), Arc::clone(&requests));
                // Clients break connections at will; that is no failure of the server.
                std::thread::spawn(move || drop(serve(stream, &*handler, &requests)));
            }
        }));
    }

    /// `127.0.0.1:PORT`
    pub fn authority(&self) -> String {
        self.address().to_string()
    }

    /// The address of a server that listens on a port.
    pub fn address(&self) -> SocketAddr {
        self.address.expect("the server listens on a Unix socket")
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        // Wakes the accepting thread up.
        if let Some(address) = self.address {
            drop(TcpStream::connect(address));
        }
        #[cfg(unix)]
        if let Some(path) = &self.socket {
            drop(std::os::unix::net::UnixStream::connect(path));
        }
        if let Some(accepting) = self.accepting.take() {
            drop(accepting.join());
        }
    }
}

fn serve<S: Stream>(stream: S, handler: &Handler, requests: &Mutex<Vec<Request>>) -> io::Result<()> {
    let mut output = stream.duplicate()?;
    let mut input = BufReader::new(stream);
    let Some(request) = read_request(&mut input)? else {
        return Ok(());
    };
    requests.lock().unwrap().push(request.clone());
    let answer = handler(&request);
    match answer.ending {
        Ending::NoAnswer => return Ok(()),
        Ending::Silence => {
            // Until the client gives up.
            io::copy(&mut input, &mut io::sink())?;
            return Ok(());
        }
        Ending::Raw => return output.write_all(&answer.body),
        _ => {}
    }
    write!(output, "HTTP/1.1 {} Answer\r\n", answer.status)?;
    for (name, value) in &answer.headers {
        write!(output, "{name}: {value}\r\n")?;
    }
    match answer.ending {
        Ending::Endless => {
            write!(output, "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n")?;
            loop {
                write!(output, "{:x}\r\n", answer.body.len())?;
                output.write_all(&answer.body)?;
                write!(output, "\r\n")?;
            }
        }
        Ending::Tunnel(target) => {
            write!(output, "\r\n")?;
            let mut there = TcpStream::connect(target)?;
            let mut back = there.try_clone()?;
            let answering = std::thread::spawn(move || drop(io::copy(&mut back, &mut output)));
            io::copy(&mut input, &mut there)?;
            there.shutdown(std::net::Shutdown::Write)?;
            drop(answering.join());
            Ok(())
        }
        _ => {
            write!(
                output,
                "Content-Length: {}\r\nConnection: close\r\n\r\n",
                answer.body.len()
            )?;
            let end = match answer.ending {
                Ending::CutAfter(end) => end,
                _ => answer.body.len(),
            };
            output.write_all(&answer.body[..end.min(answer.body.len())])
        }
    }
}

/// `None` for a client that does not speak HTTP, e.g. one that tries TLS first.
fn read_request(input: &mut impl BufRead) -> io::Result<Option<Request>> {
    if !input.fill_buf()?.first().is_some_and(u8::is_ascii_uppercase) {
        return Ok(None);
    }
    let mut line = String::new();
    input.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let mut request = Request {
        method: words.next().unwrap_or_default().to_owned(),
        target: words.next().unwrap_or_default().to_owned(),
        ..Request::default()
    };
    loop {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            request
                .headers
                .push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    if let Some(length) = request
        .header("content-length")
        .and_then(|text| text.parse::<u64>().ok())
    {
        input.take(length).read_to_end(&mut request.body)?;
    }
    Ok(Some(request))
}
