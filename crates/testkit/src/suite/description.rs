//! Tests as a suite file describes them, checked as far as that can be done before any of them runs.

use super::calls::{self, Call, Kind};
use super::capabilities::Capabilities;
use super::constants;
use super::template::{self, Values};
use super::yaml::{self, Mistake, Node, Value, mistake};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// A test, after templates were filled.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// The file that it is in, as it was named.
    pub file: String,
    /// Its line there, from 1.
    pub line: usize,
    /// Its name; no two tests of a run have the same.
    pub name: String,
    /// The rule that must raise an alert; empty when none is named.
    pub rule: String,
    /// What it is about.
    pub description: String,
    /// On which machines it can run.
    pub run_if: Option<Condition>,
    /// The container that it runs in; none on the host.
    pub container: Option<Container>,
    /// The processes, each started by the one before; the last makes the system calls. Never empty.
    pub processes: Vec<Process>,
    /// A script that runs before the resources are made.
    pub before: Option<String>,
    /// A script that runs after the steps.
    pub after: Option<String>,
    /// What is made before the steps, in this order.
    pub resources: Vec<Resource>,
    /// System calls, in this order.
    pub steps: Vec<Step>,
    /// What the alert must hold.
    pub expected: Expected,
    /// The values of the case that made this test of a template.
    pub values: Values,
}

/// On which machines a test can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Whether the machine must be one of these, or none of them.
    pub among: bool,
    /// Names of architectures, `amd64` and `arm64`.
    pub architectures: Vec<String>,
}

/// A container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// The name that its image goes by.
    pub image: Option<String>,
    /// Its own name.
    pub name: Option<String>,
    /// Variables that it has more.
    pub env: Vec<(String, String)>,
}

/// A process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// The path of its program; a path of the runner's choice without.
    pub exe_path: Option<String>,
    /// Its arguments without the first.
    pub args: Vec<String>,
    /// Its first argument; its name without.
    pub exe: Option<String>,
    /// Its name as the kernel shows it; the last part of the path without.
    pub name: Option<String>,
    /// Variables that it has more than its parent.
    pub env: Vec<(String, String)>,
    /// The user that it runs as; made when there is none of that name.
    pub user: Option<String>,
    /// What it may do; everything without.
    pub capabilities: Option<Capabilities>,
}

/// Something that is made before the steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// The name that bindings use.
    pub name: String,
    /// Its line, from 1.
    pub line: usize,
    /// What it is.
    pub kind: ResourceKind,
}

/// What a resource is.
#[derive(Clone, Debug, PartialEq)]
pub enum ResourceKind {
    /// A server and a client that is connected to it, both on the internet protocol.
    Internet {
        /// Whether packets are sent rather than a stream.
        datagrams: bool,
        /// Where the server is.
        address: SocketAddr,
    },
    /// A server and a connected client on a Unix socket at a path of the runner's choice.
    Unix,
    /// A file, made when there is none.
    File(String),
    /// A folder, made when there is none.
    Directory(String),
    /// A pipe.
    Pipe,
    /// A counter of events.
    Event,
    /// Signals as a file.
    Signal,
    /// An epoll instance.
    EventPoll,
    /// An inotify instance.
    Inotify,
    /// A file in memory of this name.
    Memory(String),
    /// A process that waits.
    Process {
        /// What it looks like.
        process: Process,
        /// Whether its program is in memory only.
        file_less: bool,
    },
}

impl ResourceKind {
    /// The values that steps may bind to.
    #[must_use]
    pub fn exposes(&self) -> &'static [&'static str] {
        match self {
            Self::Internet { .. } | Self::Unix => &["client.fd", "server.fd"],
            Self::Pipe => &["readFd", "writeFd"],
            Self::Process { .. } => &["pid"],
            _ => &["fd"],
        }
    }
}

/// A system call to make.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The name that bindings use.
    pub name: String,
    /// Its line, from 1.
    pub line: usize,
    /// The call.
    pub call: &'static Call,
    /// Its arguments, one for each parameter of the call.
    pub arguments: Vec<Argument>,
}

/// An argument of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// Not given.
    Default,
    /// A number.
    Number(i64),
    /// Bytes of a text or buffer.
    Bytes(Vec<u8>),
    /// An address.
    Address(Address),
    /// The value that an earlier resource or step has at that path.
    Bound(String, String),
}

/// An address of a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A host and port.
    Internet(SocketAddr),
    /// A path.
    Unix(String),
}

/// What the alert must hold; what is absent is not compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The source of the event.
    pub source: Option<String>,
    /// The host's name.
    pub hostname: Option<String>,
    /// The priority, in any case.
    pub priority: Option<String>,
    /// Output fields and their text.
    pub fields: Vec<(String, String)>,
}

/// The tests of files, whose names and contents are given.
///
/// # Errors
/// The first mistake, with its file and line.
pub fn read(files: &[(String, String)]) -> Result<Vec<Test>, Mistake> {
    let (tests, mistakes) = read_all(files);
    match mistakes.into_iter().next() {
        Some(mistake) => Err(mistake),
        None => Ok(tests),
    }
}

/// The tests of files that are well formed, and the mistakes of the others: one that makes a whole file unreadable leaves that
/// file out, one in a test the test alone, with all its cases.
#[must_use]
pub fn read_all(files: &[(String, String)]) -> (Vec<Test>, Vec<Mistake>) {
    let mut tests = Vec::new();
    let mut mistakes = Vec::new();
    let mut names: BTreeMap<String, (String, usize)> = BTreeMap::new();
    for (file, text) in files {
        let raw_tests = match read_file(file, text) {
            Ok(raw_tests) => raw_tests,
            Err(mistake) => {
                mistakes.push(mistake);
                continue;
            }
        };
        for raw in &raw_tests {
            match read_cases(file, raw, &names) {
                Ok(cases) => {
                    names.extend(
                        cases
                            .iter()
                            .map(|test| (test.name.clone(), (file.clone(), test.line))),
                    );
                    tests.extend(cases);
                }
                Err(mistake) => mistakes.push(mistake),
            }
        }
    }
    (tests, mistakes)
}

/// The entries of the list of tests, as the file has them.
fn read_file(file: &str, text: &str) -> Result<Vec<Node>, Mistake> {
    let root = yaml::read(file, text)?;
    let entries = root
        .map()
        .ok_or_else(|| mistake(file, root.line, "a suite is a map with the key `tests`"))?;
    if let Some((key, node)) = entries.iter().find(|(key, _)| key != "tests") {
        return Err(mistake(file, node.line, format!("a suite has no key `{key}`")));
    }
    entries
        .first()
        .and_then(|(_, node)| node.list())
        .filter(|list| !list.is_empty())
        .map(<[Node]>::to_vec)
        .ok_or_else(|| mistake(file, root.line, "`tests` is a list of at least one test"))
}

/// The tests that one entry stands for: one for each of its cases.
fn read_cases(
    file: &str,
    raw: &Node,
    names: &BTreeMap<String, (String, usize)>,
) -> Result<Vec<Test>, Mistake> {
    let mut cases = Vec::new();
    for filled in template::expand(file, raw)? {
        let test = read_test(file, &filled.test, filled.values)?;
        if let Some((other, line)) = names.get(&test.name) {
            let message = format!("test `{}` is already in {other}:{line}", test.name);
            return Err(mistake(file, test.line, message));
        }
        cases.push(test);
    }
    Ok(cases)
}

/// The entries of a map of which only these keys are known.
struct Fields<'a> {
    file: &'a str,
    what: &'a str,
    line: usize,
    entries: &'a [(String, Node)],
}

impl<'a> Fields<'a> {
    fn new(file: &'a str, what: &'a str, node: &'a Node, known: &[&str]) -> Result<Self, Mistake> {
        let entries = node
            .map()
            .ok_or_else(|| mistake(file, node.line, format!("{what} is a map, not {}", node.kind())))?;
        if let Some((key, node)) = entries
            .iter()
            .find(|(key, _)| !known.iter().any(|known| known.eq_ignore_ascii_case(key)))
        {
            let message = format!("{what} has no key `{key}`; it has {}", known.join(", "));
            return Err(mistake(file, node.line, message));
        }
        Ok(Self {
            file,
            what,
            line: node.line,
            entries,
        })
    }

    fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries
            .iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(key))
            .map(|(_, node)| node)
            .filter(|node| !node.is_null())
    }

    fn text(&self, key: &str) -> Result<Option<String>, Mistake> {
        let Some(node) = self.get(key) else {
            return Ok(None);
        };
        match node.text() {
            Some(text) if !text.contains('\0') => Ok(Some(text)),
            Some(_) => Err(self.wrong(node, key, "a text without zero bytes")),
            None => Err(self.wrong(node, key, "a text")),
        }
    }

    fn required(&self, key: &str) -> Result<String, Mistake> {
        self.text(key)?
            .filter(|text| !text.is_empty())
            .ok_or_else(|| mistake(self.file, self.line, format!("{} needs `{key}`", self.what)))
    }

    fn list(&self, key: &str) -> Result<&'a [Node], Mistake> {
        match self.get(key) {
            None => Ok(&[]),
            Some(node) => node.list().ok_or_else(|| self.wrong(node, key, "a list")),
        }
    }

    fn wrong(&self, node: &Node, key: &str, form: &str) -> Mistake {
        let message = format!("`{key}` of {} is {form}, not {}", self.what, node.kind());
        mistake(self.file, node.line, message)
    }

    fn texts(&self, key: &str) -> Result<Vec<(String, String)>, Mistake> {
        let Some(node) = self.get(key) else {
            return Ok(Vec::new());
        };
        let entries = node
            .map()
            .ok_or_else(|| self.wrong(node, key, "a map of texts"))?;
        entries
            .iter()
            .map(|(name, value)| match value.text() {
                Some(text) => Ok((name.clone(), text)),
                None => Err(mistake(
                    self.file,
                    value.line,
                    format!("`{name}` in `{key}` is a text, not {}", value.kind()),
                )),
            })
            .collect()
    }

    /// Variables; those of the runner cannot be set.
    fn env(&self) -> Result<Vec<(String, String)>, Mistake> {
        let env = self.texts("env")?;
        for (name, value) in &env {
            let reserved = name == "SUITE"
                || name.starts_with("FALCO_EVENT_GENERATOR_")
                || name.starts_with("HULLWARD_SUITE_");
            let problem = if reserved {
                format!("variable `{name}` is the runner's own")
            } else if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                format!("`{name}` is no variable that a process can have")
            } else {
                continue;
            };
            let line = self.get("env").map_or(self.line, |node| node.line);
            return Err(mistake(self.file, line, problem));
        }
        Ok(env)
    }
}

fn read_test(file: &str, node: &Node, values: Values) -> Result<Test, Mistake> {
    let fields = Fields::new(
        file,
        "a test",
        node,
        &[
            "name",
            "runner",
            "rule",
            "description",
            "runIf",
            "context",
            "before",
            "after",
            "resources",
            "steps",
            "expectedOutcome",
        ],
    )?;
    let name = fields.required("name")?;
    let runner = fields.required("runner")?;
    if runner != "HostRunner" {
        let message = format!("runner `{runner}` is unknown; it is HostRunner");
        return Err(mistake(file, node.line, message));
    }
    let (container, processes) = match fields.get("context") {
        Some(context) => read_context(file, context)?,
        None => (None, Vec::new()),
    };
    let resources: Vec<Resource> = fields
        .list("resources")?
        .iter()
        .map(|resource| read_resource(file, resource))
        .collect::<Result<_, _>>()?;
    let steps: Vec<Step> = fields
        .list("steps")?
        .iter()
        .map(|step| read_step(file, step))
        .collect::<Result<_, _>>()?;
    check_bindings(file, &resources, &steps)?;
    Ok(Test {
        file: file.to_owned(),
        line: node.line,
        name,
        rule: fields.text("rule")?.unwrap_or_default(),
        description: fields.text("description")?.unwrap_or_default(),
        run_if: fields
            .get("runIf")
            .map(|node| read_condition(file, node))
            .transpose()?
            .flatten(),
        container,
        processes: if processes.is_empty() {
            vec![Process::default()]
        } else {
            processes
        },
        before: fields.text("before")?,
        after: fields.text("after")?,
        resources,
        steps,
        expected: fields
            .get("expectedOutcome")
            .map(|node| read_expected(file, node))
            .transpose()?
            .unwrap_or_default(),
        values,
    })
}

fn read_condition(file: &str, node: &Node) -> Result<Option<Condition>, Mistake> {
    let fields = Fields::new(file, "`runIf`", node, &["arch"])?;
    let Some(arch) = fields.get("arch") else {
        return Ok(None);
    };
    let fields = Fields::new(file, "`arch` of `runIf`", arch, &["op", "val"])?;
    let operator = fields.required("op")?;
    let among = match operator.as_str() {
        "eq" | "==" | "=" | "in" => true,
        "ne" | "!=" | "notIn" | "nin" => false,
        _ => {
            let message = format!("operator `{operator}` is unknown; it is eq or ne");
            return Err(mistake(file, arch.line, message));
        }
    };
    let architectures = match fields.get("val").map(|node| (node, node.list())) {
        Some((_, Some(list))) => list.iter().filter_map(Node::text).collect(),
        Some((node, None)) => node.text().into_iter().collect(),
        None => Vec::new(),
    };
    if architectures.is_empty() {
        return Err(mistake(file, arch.line, "`arch` of `runIf` needs `val`"));
    }
    Ok(Some(Condition { among, architectures }))
}

impl Condition {
    /// Whether it holds on the machine with this architecture, named as Rust does (`x86_64`, `aarch64`).
    #[must_use]
    pub fn holds(&self, architecture: &str) -> bool {
        let other = match architecture {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        let named = self
            .architectures
            .iter()
            .any(|name| name == architecture || name == other);
        named == self.among
    }
}

fn read_context(file: &str, node: &Node) -> Result<(Option<Container>, Vec<Process>), Mistake> {
    let fields = Fields::new(file, "`context`", node, &["container", "processes"])?;
    let container = fields
        .get("container")
        .map(|node| {
            let fields = Fields::new(file, "`container`", node, &["image", "name", "env"])?;
            Ok(Container {
                image: fields.text("image")?,
                name: fields.text("name")?,
                env: fields.env()?,
            })
        })
        .transpose()?;
    let list = fields.list("processes")?;
    let mut processes = Vec::new();
    for (index, node) in list.iter().enumerate() {
        let fields = Fields::new(
            file,
            "a process",
            node,
            &["exePath", "args", "exe", "name", "env", "user", "capabilities"],
        )?;
        let mut process = read_process(&fields, "name")?;
        process.user = fields.text("user")?;
        if let Some(text) = fields.text("capabilities")? {
            let line = fields.get("capabilities").map_or(node.line, |node| node.line);
            if index + 1 < list.len() {
                let message = "only the last process can have `capabilities`";
                return Err(mistake(file, line, message));
            }
            let sets = Capabilities::parse(&text).map_err(|message| mistake(file, line, message))?;
            process.capabilities = Some(sets).filter(|sets| *sets != Capabilities::EVERY);
        }
        processes.push(process);
    }
    Ok((container, processes))
}

fn read_process(fields: &Fields<'_>, name_key: &str) -> Result<Process, Mistake> {
    let exe_path = fields.text("exePath")?;
    if let Some(path) = &exe_path
        && (!path.starts_with('/') || path.ends_with('/'))
    {
        let message = format!("`exePath` is the whole path of a program, not `{path}`");
        return Err(mistake(fields.file, fields.line, message));
    }
    let name = fields.text(name_key)?.filter(|name| !name.is_empty());
    if let Some(name) = &name
        && (name.contains('/') || name == "." || name == "..")
    {
        let message = format!("`{name_key}` is the name of a program without folders, not `{name}`");
        return Err(mistake(fields.file, fields.line, message));
    }
    Ok(Process {
        exe_path,
        args: split_arguments(&fields.text("args")?.unwrap_or_default()),
        exe: fields.text("exe")?,
        name,
        env: fields.env()?,
        user: None,
        capabilities: None,
    })
}

/// Arguments are apart by blanks; one in single or double quotes may hold blanks.
fn split_arguments(text: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let quoted = (first == '"' || first == '\'')
            .then(|| rest[1..].find(first).filter(|end| *end > 0))
            .flatten();
        let (argument, after) = match quoted {
            Some(end) => (&rest[1..=end], &rest[end + 2..]),
            None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        arguments.push(argument.to_owned());
        rest = after.trim_start();
    }
    arguments
}

fn read_resource(file: &str, node: &Node) -> Result<Resource, Mistake> {
    let what = "a resource";
    let fields = Fields::new(
        file,
        what,
        node,
        &[
            "type", "name", "l4Proto", "address", "subtype", "filePath", "dirPath", "fileName", "exePath",
            "args", "exe", "procName", "env", "fileLess",
        ],
    )?;
    let name = fields.required("name")?;
    let wrong = |message: String| mistake(file, node.line, message);
    let kind = match fields.required("type")?.as_str() {
        "clientServer" => {
            let protocol = fields.required("l4Proto")?;
            let address = fields.text("address")?.unwrap_or_default();
            match protocol.as_str() {
                "unix" if address.is_empty() => ResourceKind::Unix,
                "unix" => {
                    return Err(wrong(
                        "`address` of a Unix socket is empty: the runner chooses".to_owned(),
                    ));
                }
                "tcp4" | "tcp6" | "udp4" | "udp6" => {
                    let parsed = internet_address(&address).map_err(wrong)?;
                    if parsed.is_ipv4() != protocol.ends_with('4') {
                        return Err(wrong(format!("`{address}` is no address for {protocol}")));
                    }
                    ResourceKind::Internet {
                        datagrams: protocol.starts_with("udp"),
                        address: parsed,
                    }
                }
                _ => {
                    return Err(wrong(format!(
                        "`l4Proto` is udp4, udp6, tcp4, tcp6 or unix, not `{protocol}`"
                    )));
                }
            }
        }
        "fd" => match fields.required("subtype")?.as_str() {
            "file" => ResourceKind::File(fields.required("filePath")?),
            "directory" => ResourceKind::Directory(fields.required("dirPath")?),
            "pipe" => ResourceKind::Pipe,
            "event" => ResourceKind::Event,
            "signalfd" => ResourceKind::Signal,
            "eventpoll" => ResourceKind::EventPoll,
            "inotify" => ResourceKind::Inotify,
            "memfd" => ResourceKind::Memory(fields.required("fileName")?),
            other => {
                return Err(wrong(format!(
                    "`subtype` is file, directory, pipe, event, signalfd, eventpoll, inotify or memfd, not `{other}`"
                )));
            }
        },
        "process" => {
            let mut process = read_process(&fields, "procName")?;
            let file_less = match fields.get("fileLess").map(|node| &node.value) {
                None => false,
                Some(Value::Bool(value)) => *value,
                Some(_) => return Err(wrong("`fileLess` is true or false".to_owned())),
            };
            if file_less && process.name.is_none() && process.exe_path.is_none() {
                process.name = Some(name.replace('/', "_"));
            }
            ResourceKind::Process { process, file_less }
        }
        other => {
            return Err(wrong(format!(
                "`type` of a resource is clientServer, fd or process, not `{other}`"
            )));
        }
    };
    Ok(Resource {
        name,
        line: node.line,
        kind,
    })
}

/// `ip:port` or `[ip]:port`; a zone after `%` is left out.
fn internet_address(text: &str) -> Result<SocketAddr, String> {
    let wrong = || format!("`{text}` is no address of the form ip:port or [ip]:port");
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let host = match host.strip_prefix('[') {
        Some(host) => host.strip_suffix(']').ok_or_else(wrong)?,
        None if host.contains(':') => return Err(wrong()),
        None => host,
    };
    let host = host.split('%').next().unwrap_or(host);
    let ip: IpAddr = host.parse().map_err(|_| wrong())?;
    match port.parse() {
        Ok(port) if port > 0 => Ok(SocketAddr::new(ip, port)),
        _ => Err(format!("`{port}` in `{text}` is no port from 1 to 65535")),
    }
}

fn read_step(file: &str, node: &Node) -> Result<Step, Mistake> {
    let fields = Fields::new(file, "a step", node, &["type", "name", "syscall", "args"])?;
    let name = fields.required("name")?;
    let kind = fields.required("type")?;
    if kind != "syscall" {
        let message = format!("`type` of a step is syscall, not `{kind}`");
        return Err(mistake(file, node.line, message));
    }
    let syscall = fields.required("syscall")?;
    let call = calls::find(&syscall).ok_or_else(|| {
        let known: Vec<&str> = calls::ALL.iter().map(|call| call.name).collect();
        let message = format!(
            "system call `{syscall}` is none of the format's: {}",
            known.join(", ")
        );
        mistake(file, node.line, message)
    })?;
    let mut given: Vec<(String, &Node)> = Vec::new();
    if let Some(args) = fields.get("args") {
        let entries = args.map().ok_or_else(|| fields.wrong(args, "args", "a map"))?;
        for (key, value) in entries {
            match value.map() {
                Some(members) => given.extend(
                    members
                        .iter()
                        .map(|(member, value)| (format!("{key}.{member}"), value)),
                ),
                None if value.is_null() && is_structure(call, key) => {}
                None => given.push((key.clone(), value)),
            }
        }
    }
    for (key, value) in &given {
        if !call
            .parameters
            .iter()
            .any(|parameter| parameter.name.eq_ignore_ascii_case(key))
        {
            let known: Vec<&str> = call.parameters.iter().map(|parameter| parameter.name).collect();
            let message = format!("{syscall} has no argument `{key}`; it has {}", known.join(", "));
            return Err(mistake(file, value.line, message));
        }
    }
    let mut arguments = Vec::new();
    for parameter in call.parameters {
        let value = given
            .iter()
            .find(|(key, value)| key.eq_ignore_ascii_case(parameter.name) && !value.is_null())
            .map(|(_, value)| *value);
        arguments.push(match value {
            None if parameter.required => {
                let message = format!("{syscall} needs the argument `{}`", parameter.name);
                return Err(mistake(file, node.line, message));
            }
            None => Argument::Default,
            Some(value) => read_argument(parameter, value).map_err(|message| {
                let message = format!("argument `{}` of {syscall}: {message}", parameter.name);
                mistake(file, value.line, message)
            })?,
        });
    }
    Ok(Step {
        name,
        line: node.line,
        call,
        arguments,
    })
}

/// Whether an argument of that name has members.
fn is_structure(call: &Call, key: &str) -> bool {
    call.parameters.iter().any(|parameter| {
        parameter
            .name
            .split_once('.')
            .is_some_and(|(structure, _)| structure.eq_ignore_ascii_case(key))
    })
}

fn read_argument(parameter: &calls::Parameter, node: &Node) -> Result<Argument, String> {
    if let Value::Text(text) = &node.value
        && let Some((source, path)) = binding(text)
    {
        return Ok(Argument::Bound(source, path));
    }
    if parameter.bind_only {
        return Err("its value comes from a resource or step, as in `${name.fd}`".to_owned());
    }
    let text = || {
        node.text()
            .ok_or_else(|| format!("{} has no meaning here", node.kind()))
    };
    match parameter.kind {
        Kind::Number(table) => match &node.value {
            Value::Integer(number) => Ok(Argument::Number(*number)),
            _ => constants::parse(table.unwrap_or_default(), &text()?).map(Argument::Number),
        },
        Kind::Folder => Err("it is a folder's descriptor".to_owned()),
        Kind::Length => constants::parse(&[], &text()?)
            .ok()
            .filter(|number| (0..=1 << 24).contains(number))
            .map(Argument::Number)
            .ok_or_else(|| "it is a length from 0 to 16777216".to_owned()),
        Kind::Buffer => Ok(Argument::Bytes(text()?.into_bytes())),
        Kind::Text => {
            let text = text()?;
            if text.contains('\0') {
                return Err("it has no zero bytes".to_owned());
            }
            Ok(Argument::Bytes(text.into_bytes()))
        }
        Kind::Address => address(&text()?).map(Argument::Address),
    }
}

fn address(text: &str) -> Result<Address, String> {
    match text.strip_prefix("unix://") {
        Some(path) if path.is_empty() || path.len() > 107 => {
            Err("the path of a Unix socket has 1 to 107 bytes".to_owned())
        }
        Some(path) => Ok(Address::Unix(path.to_owned())),
        None => internet_address(text).map(Address::Internet),
    }
}

/// The source and path of `${source.path}`.
fn binding(text: &str) -> Option<(String, String)> {
    let inner = text.trim().strip_prefix("${")?.strip_suffix('}')?.trim();
    let (source, path) = inner.split_once('.')?;
    (!source.is_empty() && !path.is_empty()).then(|| (source.to_owned(), path.to_owned()))
}

/// Names are told once, and bindings refer to what was before them and has what they want.
fn check_bindings(file: &str, resources: &[Resource], steps: &[Step]) -> Result<(), Mistake> {
    let mut exposed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for resource in resources {
        if exposed
            .insert(&resource.name, resource.kind.exposes().to_vec())
            .is_some()
        {
            let message = format!("the name `{}` is used twice", resource.name);
            return Err(mistake(file, resource.line, message));
        }
    }
    for step in steps {
        for (parameter, argument) in step.call.parameters.iter().zip(&step.arguments) {
            let Argument::Bound(source, path) = argument else {
                continue;
            };
            let Some(paths) = exposed.get(source.as_str()) else {
                let message = format!(
                    "argument `{}` refers to `{source}`, which is no resource or earlier step",
                    parameter.name
                );
                return Err(mistake(file, step.line, message));
            };
            if !paths.iter().any(|have| have.eq_ignore_ascii_case(path)) {
                let message = format!(
                    "argument `{}` refers to `{path}` of `{source}`, which has {}",
                    parameter.name,
                    paths.join(", ")
                );
                return Err(mistake(file, step.line, message));
            }
        }
        let mut paths: Vec<&str> = step
            .call
            .parameters
            .iter()
            .map(|parameter| parameter.name)
            .collect();
        if step.call.returns {
            paths.push("ret");
        }
        if exposed.insert(&step.name, paths).is_some() {
            let message = format!("the name `{}` is used twice", step.name);
            return Err(mistake(file, step.line, message));
        }
    }
    Ok(())
}

fn read_expected(file: &str, node: &Node) -> Result<Expected, Mistake> {
    let fields = Fields::new(
        file,
        "`expectedOutcome`",
        node,
        &["source", "hostname", "priority", "outputFields"],
    )?;
    Ok(Expected {
        source: fields.text("source")?,
        hostname: fields.text("hostname")?,
        priority: fields.text("priority")?,
        fields: fields.texts("outputFields")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(body: &str) -> Result<Test, String> {
        let text = format!("tests:\n  - name: t\n    runner: HostRunner\n{body}");
        read(&[("a.yaml".to_owned(), text)])
            .map(|mut tests| tests.remove(0))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_whole_test_is_read() {
        let test = one(r#"
    rule: Some rule
    runIf: { arch: { op: ne, val: arm64 } }
    before: "true"
    context:
      container: { image: a/b:c, name: d, env: { X: 1 } }
      processes:
        - args: one "two three" 'four'
          user: nobody
        - exePath: /opt/x/y
          name: sshd
          exe: -sshd
          env: { A: b }
          capabilities: cap_chown=ep
    resources:
      - { type: clientServer, name: cs, l4Proto: tcp6, address: "[::1]:80" }
      - { type: fd, name: p, subtype: pipe }
      - { type: process, name: q, fileLess: true }
    steps:
      - type: syscall
        name: a
        syscall: dup2
        args: { oldFd: "${ cs.client.fd }", newFd: 0 }
      - type: syscall
        name: b
        syscall: openat2
        args:
          pathname: /x
          how: { flags: O_RDWR, resolve: RESOLVE_BENEATH }
      - type: syscall
        name: c
        syscall: sendto
        args: { fd: "${cs.client.fd}", buf: "${b.pathname}", flags: 0, destAddr: "unix:///x" }
    expectedOutcome:
      priority: WARNING
      outputFields: { a.b: 3, c: true }
"#)
        .unwrap();
        assert_eq!(test.processes[0].args, ["one", "two three", "four"]);
        assert_eq!(test.processes[1].exe.as_deref(), Some("-sshd"));
        assert!(test.processes[1].capabilities.is_some());
        assert_eq!(test.container.unwrap().env, [("X".to_owned(), "1".to_owned())]);
        assert_eq!(
            test.steps[0].arguments,
            [
                Argument::Bound("cs".to_owned(), "client.fd".to_owned()),
                Argument::Number(0)
            ]
        );
        assert_eq!(
            test.steps[1].arguments,
            [
                Argument::Default,
                Argument::Bytes(b"/x".to_vec()),
                Argument::Number(2),
                Argument::Default,
                Argument::Number(8)
            ]
        );
        assert_eq!(
            test.expected.fields,
            [
                ("a.b".to_owned(), "3".to_owned()),
                ("c".to_owned(), "true".to_owned())
            ]
        );
        let condition = test.run_if.unwrap();
        assert!(condition.holds("x86_64") && !condition.holds("aarch64"));
    }

    #[test]
    fn mistakes_name_the_place() {
        for (body, expected) in [
            (
                "    stpes: []\n",
                "a.yaml:4: a test has no key `stpes`; it has name, runner, rule, description, runIf, context, before, \
                 after, resources, steps, expectedOutcome",
            ),
            (
                "    steps: [{type: syscall, name: a, syscall: dup, args: {oldFd: \"${b.ret}\"}}, \
                 {type: syscall, name: b, syscall: dup, args: {oldFd: 1}}]\n",
                "a.yaml:4: argument `oldFd` refers to `b`, which is no resource or earlier step",
            ),
            (
                "    resources: [{type: fd, name: a, subtype: pipe}]\n    steps: [{type: syscall, name: b, \
                 syscall: dup, args: {oldFd: \"${a.fd}\"}}]\n",
                "a.yaml:5: argument `oldFd` refers to `fd` of `a`, which has readFd, writeFd",
            ),
            (
                "    resources: [{type: fd, name: a, subtype: event}, {type: fd, name: a, subtype: event}]\n",
                "a.yaml:4: the name `a` is used twice",
            ),
            (
                "    steps: [{type: syscall, name: a, syscall: openat, args: {dirFd: 3, pathname: x, flags: 0}}]\n",
                "a.yaml:4: argument `dirFd` of openat: its value comes from a resource or step, as in `${name.fd}`",
            ),
            (
                "    steps: [{type: syscall, name: a, syscall: open, args: {pathname: x, flags: O_X}}]\n",
                "a.yaml:4: argument `flags` of open: `O_X` is no number and none of its names",
            ),
            (
                "    steps: [{type: syscall, name: a, syscall: open, args: {pathname: x}}]\n",
                "a.yaml:4: open needs the argument `flags`",
            ),
            (
                "    steps: [{type: syscall, name: a, syscall: dup, args: {fd: 1}}]\n",
                "a.yaml:4: dup has no argument `fd`; it has oldFd",
            ),
            (
                "    context: {processes: [{capabilities: \"all=ep\"}, {name: x}]}\n",
                "a.yaml:4: only the last process can have `capabilities`",
            ),
            (
                "    context: {processes: [{env: {HULLWARD_SUITE_TEST: x}}]}\n",
                "a.yaml:4: variable `HULLWARD_SUITE_TEST` is the runner's own",
            ),
            (
                "    context: {processes: [{name: a/b}]}\n",
                "a.yaml:4: `name` is the name of a program without folders, not `a/b`",
            ),
            (
                "    resources: [{type: clientServer, name: a, l4Proto: tcp4, address: \"[::1]:1\"}]\n",
                "a.yaml:4: `[::1]:1` is no address for tcp4",
            ),
            (
                "    resources: [{type: clientServer, name: a, l4Proto: tcp4, address: \"1.2.3.4:0\"}]\n",
                "a.yaml:4: `0` in `1.2.3.4:0` is no port from 1 to 65535",
            ),
            (
                "    resources: [{type: clientServer, name: a, l4Proto: unix, address: /x}]\n",
                "a.yaml:4: `address` of a Unix socket is empty: the runner chooses",
            ),
            (
                "    resources: [{type: fd, name: a, subtype: file}]\n",
                "a.yaml:4: a resource needs `filePath`",
            ),
            (
                "    runIf: {arch: {op: like, val: a}}\n",
                "a.yaml:4: operator `like` is unknown; it is eq or ne",
            ),
        ] {
            assert_eq!(one(body).unwrap_err(), expected, "{body}");
        }
    }

    #[test]
    fn a_structure_may_be_left_out() {
        for args in [
            "{pathname: /x}",
            "{pathname: /x, how: null}",
            "{pathname: /x, how: {}}",
        ] {
            let test = one(&format!(
                "    steps: [{{type: syscall, name: a, syscall: openat2, args: {args}}}]\n"
            ))
            .unwrap();
            assert_eq!(
                test.steps[0].arguments[2..],
                [const { Argument::Default }; 3],
                "{args}"
            );
        }
        let error =
            one("    steps: [{type: syscall, name: a, syscall: openat, args: {pathname: /x, how: null}}]\n")
                .unwrap_err();
        assert!(error.contains("openat has no argument `how`"), "{error}");
    }

    #[test]
    fn unknown_system_calls_are_mistakes() {
        let error = one("    steps: [{type: syscall, name: a, syscall: reboot}]\n").unwrap_err();
        assert!(
            error.starts_with("a.yaml:4: system call `reboot` is none of the format's: connect, dup,"),
            "{error}"
        );
    }

    #[test]
    fn a_mistake_leaves_its_test_out_and_no_other() {
        let text = "
tests:
  - {name: one, runner: HostRunner}
  - {name: two, runner: Other}
  - {name: three, runner: HostRunner, cases: [{strategy: vector, values: {a: 1}}, {strategy: vector, values: {b: 1}}]}
  - {name: four, runner: HostRunner}
";
        let files = [
            ("a.yaml".to_owned(), "tests: [".to_owned()),
            ("b.yaml".to_owned(), text.to_owned()),
        ];
        let (tests, mistakes) = read_all(&files);
        let names: Vec<&str> = tests.iter().map(|test| test.name.as_str()).collect();
        assert_eq!(names, ["one", "four"]);
        let places: Vec<(&str, usize)> = mistakes
            .iter()
            .map(|mistake| (mistake.file.as_str(), mistake.line))
            .collect();
        assert_eq!(places.len(), 3, "{mistakes:?}");
        assert_eq!(
            (places[0].0, places[1], places[2]),
            ("a.yaml", ("b.yaml", 4), ("b.yaml", 5))
        );
    }

    #[test]
    fn names_are_unique_over_files() {
        let text = "tests: [{name: t, runner: HostRunner}]".to_owned();
        let error = read(&[("a.yaml".to_owned(), text.clone()), ("b.yaml".to_owned(), text)]).unwrap_err();
        assert_eq!(error.to_string(), "b.yaml:1: test `t` is already in a.yaml:1");
    }

    #[test]
    fn files_without_tests_are_mistakes() {
        for (text, expected) in [
            ("tests: []", "a.yaml:1: `tests` is a list of at least one test"),
            ("test: []", "a.yaml:1: a suite has no key `test`"),
            ("[]", "a.yaml:1: a suite is a map with the key `tests`"),
            (
                "tests: [{name: t, runner: Other}]",
                "a.yaml:1: runner `Other` is unknown; it is HostRunner",
            ),
            ("tests: [{runner: HostRunner}]", "a.yaml:1: a test needs `name`"),
        ] {
            let error = read(&[("a.yaml".to_owned(), text.to_owned())]).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn arguments_are_split_as_in_the_format() {
        for (text, expected) in [
            ("-c /dev/shm/evil", &["-c", "/dev/shm/evil"] as &[&str]),
            ("", &[]),
            ("  a   b ", &["a", "b"]),
            ("\"a b\" 'c d'", &["a b", "c d"]),
            ("\"open", &["\"open"]),
            ("it's", &["it's"]),
        ] {
            assert_eq!(split_arguments(text), expected, "{text}");
        }
    }
}
