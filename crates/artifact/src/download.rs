//! Documents over HTTP, for what is no image: advisory feeds and their mirrors. Same proxies, trust, retries and limits as registries.

use crate::network::{Client, ClientOptions, RemoteError, origin};
use crate::options::OpenOptions;
use std::io::Read;

/// Gets documents from one server and from wherever it redirects to.
pub struct Downloads {
    client: Client,
}

/// What the server answered.
pub struct Download {
    /// The status: 200, 206, 304, 404 and so on. Overload was waited for and tried again before.
    pub status: u16,
    /// The entity tag, as the server writes it.
    pub etag: Option<String>,
    /// Where the part starts that a 206 brings, in bytes.
    pub start: Option<u64>,
    /// The body. Fails when the connection breaks or the server stalls; not limited in length.
    pub body: Box<dyn Read + Send>,
}

impl Downloads {
    /// Prepares to ask the server of this URL. Of the options, `offline`, `insecure`, `ca_file` and the time limits count.
    ///
    /// # Errors
    /// When the URL is none of http or https, when network use is switched off, or when the CA file is not usable.
    pub fn new(url: &str, options: &OpenOptions) -> Result<Self, RemoteError> {
        let (_, host, port) = origin(url)
            .ok_or_else(|| RemoteError::invalid(format!("`{url}` is not an http or https URL")))?;
        let authority = if host.contains(':') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        };
        Ok(Self {
            client: Client::new(&authority, ClientOptions::from(options))?,
        })
    }

    /// Asks for a document, with the headers that are given (`if-none-match`, `range`, `if-range`).
    ///
    /// # Errors
    /// When no answer could be had.
    pub fn get(&self, url: &str, headers: &[(&'static str, String)]) -> Result<Download, RemoteError> {
        let (response, _) = self.client.follow(url, headers, None)?;
        Ok(Download {
            status: response.status.as_u16(),
            etag: response.header("etag").map(str::to_owned),
            start: response.range_start(),
            body: Box::new(response.into_reader()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::http::{Answer, Ending, Server};

    #[test]
    fn documents_come_with_status_tag_and_part() {
        let elsewhere = Server::start(|asked| match asked.header("range") {
            Some(_) => Answer::new(206, "tail")
                .header("Content-Range", "bytes 4-7/8")
                .header("ETag", "\"2\""),
            None => Answer::new(200, "the whole").header("ETag", "\"1\""),
        });
        let target = elsewhere.authority();
        let server = Server::start(move |asked| match asked.path() {
            "/moved" => Answer::new(302, "").header("Location", format!("http://{target}/here")),
            "/same" => Answer::new(304, ""),
            "/cut" => Answer::new(200, "0123456789").ending(Ending::CutAfter(3)),
            _ => Answer::new(404, ""),
        });
        let url = |path: &str| format!("http://{}{path}", server.authority());
        let downloads = Downloads::new(&url("/"), &OpenOptions::default()).unwrap();
        let read = |path: &str, headers: &[(&'static str, String)]| {
            let download = downloads.get(&url(path), headers).unwrap();
            let mut body = String::new();
            let mut source = download.body;
            let whole = source.read_to_string(&mut body).is_ok();
            (download.status, download.etag, download.start, body, whole)
        };
        let text = str::to_owned;
        assert_eq!(
            read("/moved", &[]),
            (200, Some(text("\"1\"")), None, text("the whole"), true)
        );
        let range = [("range", text("bytes=4-"))];
        assert_eq!(
            read("/moved", &range),
            (206, Some(text("\"2\"")), Some(4), text("tail"), true)
        );
        let unless = [("if-none-match", text("\"1\""))];
        assert_eq!(read("/same", &unless), (304, None, None, String::new(), true));
        assert_eq!(read("/missing", &[]).0, 404);
        assert!(!read("/cut", &[]).4, "a broken body is an error");
        let asked = server.requests();
        assert!(
            asked
                .iter()
                .any(|request| request.header("if-none-match") == Some("\"1\""))
        );
    }

    #[test]
    fn only_http_and_only_online() {
        for url in ["ftp://mirror.example/", "file:///etc/passwd", "mirror"] {
            assert!(Downloads::new(url, &OpenOptions::default()).is_err(), "{url}");
        }
        let offline = OpenOptions {
            offline: true,
            ..OpenOptions::default()
        };
        assert!(Downloads::new("https://mirror.example/", &offline).is_err());
    }
}
