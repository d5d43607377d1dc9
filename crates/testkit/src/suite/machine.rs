//! A chain of processes that make system calls on request; the other side is `leaf.c`.

use super::calls;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a script prints between its halves, as `printf` takes it; `leaf.c` looks for it.
pub(super) const BETWEEN: &str = "\\036suite between halves\\036";

/// Longest reply that is believed.
const LONGEST_REPLY: usize = 64 << 20;

/// Most bytes that are kept of what processes print.
const MOST_PRINTED: usize = 64 << 10;

/// How long processes have to end by themselves.
const PATIENCE: Duration = Duration::from_secs(3);

/// An argument of a system call.
#[derive(Clone, Copy, Debug)]
pub enum Word<'a> {
    /// A number.
    Number(i64),
    /// The address of these bytes.
    Bytes(&'a [u8]),
    /// The address of these bytes, which are wanted back.
    Back(&'a [u8]),
}

/// The processes, and the pipes to the last of them.
pub struct Machine {
    child: Child,
    input: Option<ChildStdin>,
    replies: Receiver<Vec<u8>>,
    printed: Arc<Mutex<Vec<u8>>>,
    limit: Duration,
    interrupted: Arc<AtomicBool>,
}

/// How a script stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Its wait status when it has ended.
    pub ended: Option<i64>,
    /// The end of what it printed.
    pub output: String,
}

impl Machine {
    /// Starts the first process. Every reply must come within `limit`, and none is waited for once `interrupted` is set.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(
        mut command: Command,
        limit: Duration,
        interrupted: &Arc<AtomicBool>,
    ) -> Result<Self, String> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| format!("{name} cannot be started: {error}"))?;
        let input = child.stdin.take();
        let (sender, replies) = mpsc::channel();
        if let Some(mut output) = child.stdout.take() {
            std::thread::spawn(move || {
                while let Ok(frame) = read_frame(&mut output) {
                    if sender.send(frame).is_err() {
                        break;
                    }
                }
            });
        }
        let printed = Arc::new(Mutex::new(Vec::new()));
        if let Some(mut errors) = child.stderr.take() {
            let printed = Arc::clone(&printed);
            std::thread::spawn(move || {
                let mut block = [0; 4096];
                while let Ok(count @ 1..) = errors.read(&mut block) {
                    let mut printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
                    printed.extend_from_slice(&block[..count]);
                    let surplus = printed.len().saturating_sub(MOST_PRINTED);
                    printed.drain(..surplus);
                }
            });
        }
        Ok(Self {
            child,
            input,
            replies,
            printed,
            limit,
            interrupted: Arc::clone(interrupted),
        })
    }

    /// What the processes printed.
    #[must_use]
    pub fn printed(&self) -> String {
        let printed = self.printed.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&printed).into_owned()
    }

    /// Makes a system call in the last process. The result is the kernel's: negative for an error. Then the buffers that
    /// were wanted back.
    ///
    /// # Errors
    /// When the process does not answer, or the machine has no such call.
    pub fn call(&mut self, name: &str, words: &[Word<'_>]) -> Result<(i64, Vec<Vec<u8>>), String> {
        let number = calls::number(name).ok_or_else(|| format!("this machine has no system call {name}"))?;
        let mut request = Request::new(b'C');
        request.number(number);
        request.byte(u8::try_from(words.len()).unwrap_or(u8::MAX));
        let mut wanted = 0;
        for word in words {
            match word {
                Word::Number(value) => {
                    request.byte(0);
                    request.number(*value);
                }
                Word::Bytes(bytes) => {
                    request.byte(1);
                    request.bytes(bytes);
                }
                Word::Back(bytes) => {
                    request.byte(2);
                    request.bytes(bytes);
                    wanted += 1;
                }
            }
        }
        let mut reply = self.ask(&request)?;
        let result = reply.number()?;
        let buffers = (0..wanted).map(|_| reply.bytes()).collect::<Result<_, _>>()?;
        Ok((result, buffers))
    }

    /// As `call`, but an error of the kernel is an error.
    ///
    /// # Errors
    /// Also when the call fails, in the system's words.
    pub fn must(&mut self, name: &str, words: &[Word<'_>]) -> Result<i64, String> {
        let (result, _) = self.call(name, words)?;
        if result < 0 {
            return Err(format!("{name}: {}", error_text(result)));
        }
        Ok(result)
    }

    /// Starts the next process of the chain; it gets all later requests until it ends.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn next(
        &mut self,
        path: &str,
        argv: &[String],
        env: &[String],
        plain_root: bool,
    ) -> Result<(), String> {
        let mut request = Request::new(b'N');
        request.bytes(path.as_bytes());
        request.list(argv);
        request.list(env);
        request.byte(u8::from(plain_root));
        let result = self.ask(&request)?.number()?;
        if result < 0 {
            return Err(format!("{path} cannot be executed: {}", error_text(result)));
        }
        Ok(())
    }

    /// Makes the last process the one that makes the steps' calls; its standard descriptors become free. Its id is as it
    /// sees it itself.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn become_leaf(&mut self) -> Result<i64, String> {
        let pid = self.ask(&Request::new(b'L'))?.number()?;
        if pid < 0 {
            return Err(format!(
                "the last process cannot free its standard descriptors: {}",
                error_text(pid)
            ));
        }
        Ok(pid)
    }

    /// Starts a process that waits until the last one ends; its id, or the kernel's error as a negative number.
    ///
    /// # Errors
    /// When the last process does not answer.
    pub fn resource(
        &mut self,
        path: &str,
        argv: &[String],
        env: &[String],
        from_memory: bool,
    ) -> Result<i64, String> {
        let mut request = Request::new(b'K');
        request.bytes(path.as_bytes());
        request.list(argv);
        request.list(env);
        request.byte(u8::from(from_memory));
        self.ask(&request)?.number()
    }

    /// Starts a script and waits until it prints `BETWEEN` or ends.
    ///
    /// # Errors
    /// When the last process does not answer in time.
    pub fn begin_script(&mut self, shell: &str, text: &str) -> Result<Script, String> {
        let mut request = Request::new(b'B');
        request.bytes(shell.as_bytes());
        request.bytes(text.as_bytes());
        self.script(&request)
    }

    /// Lets the script go on to its end.
    ///
    /// # Errors
    /// When the last process does not answer in time.
    pub fn finish_script(&mut self) -> Result<Script, String> {
        self.script(&Request::new(b'F'))
    }

    fn script(&mut self, request: &Request) -> Result<Script, String> {
        let mut reply = self.ask(request)?;
        let status = reply.number()?;
        let output = reply.bytes()?;
        Ok(Script {
            ended: (status >= 0).then_some(status),
            output: String::from_utf8_lossy(&output).into_owned(),
        })
    }

    /// Ends the last process and waits for the one before it to see that.
    ///
    /// # Errors
    /// When that does not happen in time.
    pub fn end_last(&mut self) -> Result<(), String> {
        let mut request = Request::new(b'X');
        request.number(0);
        self.send(&request)?;
        let mut frame = self.receive()?;
        match frame.kind {
            b'E' => frame.number().map(|_| ()),
            _ => Err("a process answered when it should have ended".to_owned()),
        }
    }

    fn ask(&mut self, request: &Request) -> Result<Reply, String> {
        self.send(request)?;
        let mut reply = self.receive()?;
        if reply.kind == b'E' {
            return Err(format!(
                "the process ended {} while it was at work",
                status_text(reply.number()?)
            ));
        }
        Ok(reply)
    }

    fn send(&mut self, request: &Request) -> Result<(), String> {
        let length = u32::try_from(request.0.len()).unwrap_or(u32::MAX);
        let input = self
            .input
            .as_mut()
            .ok_or_else(|| "the processes were stopped".to_owned())?;
        input
            .write_all(&length.to_le_bytes())
            .and_then(|()| input.write_all(&request.0))
            .and_then(|()| input.flush())
            .map_err(|error| self.lost(&error.to_string()))
    }

    fn receive(&mut self) -> Result<Reply, String> {
        let deadline = Instant::now() + self.limit;
        loop {
            match self.replies.recv_timeout(Duration::from_millis(100)) {
                Ok(frame) => {
                    return Ok(Reply {
                        kind: frame.first().copied().unwrap_or_default(),
                        at: 1,
                        frame,
                    });
                }
                Err(RecvTimeoutError::Disconnected) => return Err(self.lost("it ended")),
                Err(RecvTimeoutError::Timeout) if self.interrupted.load(Ordering::Relaxed) => {
                    return Err("interrupted".to_owned());
                }
                Err(RecvTimeoutError::Timeout) if Instant::now() > deadline => {
                    return Err(format!(
                        "no answer within {} seconds: the call blocks",
                        self.limit.as_secs()
                    ));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn lost(&self, reason: &str) -> String {
        let printed = self.printed();
        match printed.trim().lines().last() {
            Some(line) => format!("the first process is lost ({reason}): {line}"),
            None => format!("the first process is lost: {reason}"),
        }
    }

    /// Ends all processes: those that are not stuck end by themselves when the pipe to them is closed.
    pub fn stop(&mut self) {
        self.input = None;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(2)),
                _ => break,
            }
        }
        // The group holds every process of the chain, also when the first has ended.
        if let Some(group) = i32::try_from(self.child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw)
        {
            // It fails when there is none left, which is what is wanted.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What the kernel means by a negative result.
#[must_use]
pub fn error_text(result: i64) -> String {
    io::Error::from_raw_os_error(i32::try_from(-result).unwrap_or_default()).to_string()
}

/// A wait status in words.
#[must_use]
pub fn status_text(status: i64) -> String {
    match status & 0x7f {
        0 => format!("with code {}", (status >> 8) & 0xff),
        signal => format!("by signal {signal}"),
    }
}

fn read_frame(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST_REPLY {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut frame = Vec::new();
    from.take(length as u64).read_to_end(&mut frame)?;
    if frame.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(frame)
}

struct Request(Vec<u8>);

impl Request {
    fn new(letter: u8) -> Self {
        Self(vec![letter])
    }

    fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    fn number(&mut self, value: i64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn length(&mut self, value: usize) {
        self.0
            .extend_from_slice(&u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    fn list(&mut self, texts: &[String]) {
        self.length(texts.len());
        for text in texts {
            self.bytes(text.as_bytes());
        }
    }
}

struct Reply {
    kind: u8,
    frame: Vec<u8>,
    at: usize,
}

impl Reply {
    fn take(&mut self, length: usize) -> Result<&[u8], String> {
        let end = self.at.saturating_add(length);
        let bytes = self
            .frame
            .get(self.at..end)
            .ok_or_else(|| "a process answered with less than was asked for".to_owned())?;
        self.at = end;
        Ok(bytes)
    }

    fn number(&mut self) -> Result<i64, String> {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(self.take(8)?);
        Ok(i64::from_le_bytes(bytes))
    }

    fn bytes(&mut self) -> Result<Vec<u8>, String> {
        let mut length = [0; 4];
        length.copy_from_slice(self.take(4)?);
        let length = u32::from_le_bytes(length) as usize;
        self.take(length).map(<[u8]>::to_vec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_that_end_early_are_errors() {
        assert_eq!(read_frame(&mut &[2, 0, 0, 0, 7, 8][..]).unwrap(), [7, 8]);
        assert!(read_frame(&mut &[3, 0, 0, 0, 7, 8][..]).is_err());
        assert!(read_frame(&mut &[255, 255, 255, 255][..]).is_err());
        assert!(read_frame(&mut &[1, 0][..]).is_err());
    }

    #[test]
    fn replies_that_are_too_short_are_errors() {
        let mut reply = Reply {
            kind: b'R',
            frame: vec![b'R', 1, 0, 0, 0, 9],
            at: 1,
        };
        assert_eq!(reply.bytes().unwrap(), [9]);
        assert!(reply.number().is_err());
    }

    #[test]
    fn statuses_are_told() {
        assert_eq!(status_text(3 << 8), "with code 3");
        assert_eq!(status_text(9), "by signal 9");
    }
}
