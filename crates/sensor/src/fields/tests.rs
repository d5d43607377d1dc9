//! What events answer, by samples: one table of events, fields and values.

use crate::KernelEvent;
use crate::sample::parse;
use model::event::{Argument, ArgumentRule, EventView as _, FIELDS, Field, Value};

fn text(value: &Value<'_>) -> String {
    match value {
        Value::Absent => "-".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Text(bytes) | Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Address(address) => address.to_string(),
        Value::Addresses(ends) => format!("{ends:?}"),
        Value::Ports(ends) => format!("{ends:?}"),
        Value::List(values) => values.iter().map(text).collect::<Vec<_>>().join(" "),
    }
}

fn ask(event: &KernelEvent, name: &str) -> String {
    let (field, argument) = match name.split_once('[') {
        Some((field, argument)) => (field, Some(argument.trim_end_matches(']'))),
        None => (name, None),
    };
    let (field, argument) = match Field::with_dotted_argument(field) {
        Some((field, dotted)) => (field, argument.or(dotted)),
        None => panic!("no field {name}"),
    };
    let argument = match argument {
        None => Argument::None,
        Some(number) if number.parse::<u64>().is_ok() => Argument::Index(number.parse().unwrap()),
        Some(key) => Argument::Key(key.into()),
    };
    text(&event.value(field, &argument))
}

/// Each block is a sample, then `---`, then lines `field = value`; `-` stands for no value.
fn check(cases: &[(&str, &str)]) {
    for (yaml, expected) in cases {
        let samples = parse(yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
        let event = samples[0]
            .event()
            .unwrap_or_else(|error| panic!("{error}\n{yaml}"));
        for line in expected.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (field, value) = line
                .split_once(" =")
                .unwrap_or_else(|| panic!("no value: {line}"));
            let value = value.strip_prefix(' ').unwrap_or(value);
            assert_eq!(ask(&event, field), value, "{field} of\n{yaml}");
        }
    }
}

#[test]
fn what_is_nothing_in_particular_has_texts_all_the_same() {
    check(&[
        (
            "{event: execve, process: {name: pkexec, args: []}}",
            "proc.args =
             proc.cmdline = pkexec
             fd.l4proto = -",
        ),
        (
            "{event: fchmodat, path: /tmp/x, mode: '04711'}",
            "evt.args = res=0 dirfd=-100(AT_FDCWD) filename=/tmp/x mode=04711(S_IXOTH|S_IXGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID)
             evt.arg.mode = S_IXOTH|S_IXGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID",
        ),
        // Bound, with nobody at the other end: a server.
        (
            "{event: dup, fd: 3, socket: {local: '10.0.0.1:53', protocol: udp}}",
            "fd.name = 10.0.0.1:53
             fd.sip = 10.0.0.1
             fd.cip = -
             fd.l4proto = udp",
        ),
        // Neither: no name, and no protocol yet.
        (
            "{event: dup, fd: 3, socket: {local: '0.0.0.0:0', protocol: udp}}",
            "fd.name =
             fd.type = ipv4
             fd.sip = -
             fd.l4proto = <NA>",
        ),
        (
            "{event: socket, family: AF_PACKET, kind: 3, protocol: 768}",
            "fd.type = <NA>
             fd.typechar = o
             fd.l4proto = <NA>",
        ),
    ]);
}

#[test]
fn files_that_are_opened() {
    check(&[
        (
            "{event: openat, path: /etc/shadow, flags: O_RDONLY|O_CLOEXEC, process: {name: cat, args: [/etc/shadow]}}",
            "evt.type = openat
             evt.args = fd=5(<f>/etc/shadow) dirfd=-100(AT_FDCWD) name=/etc/shadow flags=4097(O_RDONLY|O_CLOEXEC) mode=0 dev=801 ino=4242
             evt.arg.flags = O_RDONLY|O_CLOEXEC
             evt.arg.fd = <f>/etc/shadow
             evt.arg[0] = <f>/etc/shadow
             evt.rawarg.fd = 5
             evt.res = SUCCESS
             evt.rawres = 5
             evt.is_open_read = true
             evt.is_open_write = false
             evt.is_open_exec = false
             evt.is_open_create = false
             evt.category = file
             evt.dir = <
             fd.num = 5
             fd.type = file
             fd.typechar = f
             fd.name = /etc/shadow
             fd.nameraw = /etc/shadow
             fd.realpath = /etc/shadow
             fd.directory = /etc
             fd.filename = shadow
             fd.dev = 2049
             fd.dev.major = 8
             fd.ino = 4242
             fd.containername = :/etc/shadow
             fd.sip = -
             fd.l4proto = <NA>
             fs.path.name = /etc/shadow
             evt.count.error = 0
             evt.count.error.file = 0
             evt.count.error.net = -",
        ),
        (
            "{event: open, path: ../../etc//shadow, real_path: /etc/shadow, flags: O_RDWR, process: {name: cat, cwd: /var/tmp}}",
            "fd.name = /etc/shadow
             fd.nameraw = ../../etc/shadow
             evt.arg.name = /etc/shadow
             evt.args = fd=5(<f>/etc/shadow) name=../../etc//shadow(/etc/shadow) flags=3(O_RDWR) mode=0 dev=801 ino=4242
             evt.is_open_read = true
             evt.is_open_write = true
             proc.cwd = /var/tmp/",
        ),
        (
            "{event: openat, path: link, base: /srv, real_path: /etc/shadow, flags: O_WRONLY|O_CREAT|O_EXCL, mode: '0755', file: {upper_layer: true}}",
            "fd.name = /srv/link
             fd.realpath = /etc/shadow
             evt.arg.dirfd = <d>/srv
             evt.arg.flags = O_EXCL|O_CREAT|O_WRONLY|O_F_CREATED|FD_UPPER_LAYER
             evt.arg.mode = 0755
             evt.is_open_exec = true
             evt.is_open_create = true
             fd.is_upper_layer = true
             fd.is_lower_layer = false",
        ),
        (
            "{event: openat, path: /etc/nothing, flags: O_RDONLY, ret: ENOENT}",
            "evt.res = ENOENT
             evt.rawres = -2
             evt.failed = true
             fd.num = -1
             fd.typechar = f
             fd.type = -
             fd.name = /etc/nothing
             fd.directory = /etc
             fd.filename = -
             fd.realpath = -
             evt.args = fd=-2(ENOENT) dirfd=-100(AT_FDCWD) name=/etc/nothing flags=1(O_RDONLY) mode=0 dev=NULL ino=NULL
             evt.count.error.file = 1",
        ),
        (
            "{event: openat2, path: /etc, flags: O_RDONLY|O_DIRECTORY, args: {4: 4}}",
            "fd.typechar = d
             fd.type = directory
             fd.directory = /etc
             evt.arg.resolve = RESOLVE_NO_SYMLINKS",
        ),
        (
            "{event: openat, path: /etc/shadow, flags: O_RDONLY, io_uring: true}",
            "evt.type = openat
             evt.is_io_uring = true
             fd.name = /etc/shadow
             fd.num = 0
             fd.typechar = f
             evt.is_open_read = true",
        ),
        (
            "{event: creat, path: /tmp/x, mode: 493}",
            "evt.is_open_exec = true
             evt.arg.mode = 0755
             fd.name = /tmp/x
             fd.directory = /tmp",
        ),
        (
            "{event: memfd_create, path: evil, flags: MFD_CLOEXEC}",
            "fd.name = evil
             fd.typechar = m
             evt.args = fd=5(<m>evil) name=evil flags=1(MFD_CLOEXEC)",
        ),
    ]);
}

#[test]
fn paths_that_are_changed() {
    check(&[
        (
            "{event: renameat2, path: a, new_path: /etc/b, flags: RENAME_NOREPLACE, process: {cwd: /tmp}}",
            "evt.args = res=0 olddirfd=-100(AT_FDCWD) oldpath=a(/tmp/a) newdirfd=-100(AT_FDCWD) newpath=/etc/b flags=1(RENAME_NOREPLACE)
             evt.arg.oldpath = /tmp/a
             evt.arg.newpath = /etc/b
             evt.abspath = /tmp/a
             evt.abspath.dst = /etc/b
             fs.path.source = /tmp/a
             fs.path.sourceraw = a
             fs.path.target = /etc/b
             fs.path.name = -
             fd.name = -
             fd.num = -",
        ),
        (
            "{event: symlinkat, path: /etc, new_path: here, process: {cwd: /tmp}}",
            "evt.arg.target = /etc
             evt.arg.linkpath = /tmp/here
             fs.path.source = /tmp/here
             fs.path.sourceraw = here
             fs.path.target = /etc
             fs.path.targetraw = /etc",
        ),
        (
            "{event: symlink, path: etc, new_path: /here, ret: EEXIST, process: {cwd: /tmp}}",
            "evt.arg.target = etc
             fs.path.source = -
             fs.path.sourceraw = -
             fs.path.target = -
             fs.path.targetraw = -",
        ),
        (
            "{event: linkat, path: /etc/shadow, new_path: /tmp/s}",
            "evt.arg.oldpath = /etc/shadow
             evt.arg.newpath = /tmp/s
             fs.path.source = /tmp/s
             fs.path.target = /etc/shadow",
        ),
        (
            "{event: unlinkat, path: /var/log/x, flags: AT_REMOVEDIR, ret: EACCES}",
            "evt.args = res=-13(EACCES) dirfd=-100(AT_FDCWD) name=/var/log/x flags=512(AT_REMOVEDIR)
             evt.arg.name = /var/log/x
             fs.path.name = -
             fs.path.nameraw = -",
        ),
        (
            "{event: unlinkat, path: x, process: {cwd: /var/log}}",
            "fs.path.name = /var/log/x
             fs.path.nameraw = x",
        ),
        (
            "{event: chmod, path: /tmp/x, mode: S_ISUID|S_IXUSR}",
            "evt.arg.filename = /tmp/x
             evt.arg.mode = S_IXUSR|S_ISUID",
        ),
        (
            "{event: fchmodat, path: /tmp/x, mode: '04755'}",
            "evt.arg.mode = S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID",
        ),
        (
            "{event: mkdir, path: /bin/x, mode: '0755'}",
            "evt.args = res=0 path=/bin/x mode=0755
             evt.arg.path = /bin/x",
        ),
        (
            "{event: mount, path: /dev/sda1, new_path: /mnt, text: ext4, flags: NOSUID|BIND}",
            "evt.args = res=0 dev=/dev/sda1 dir=/mnt type=ext4 flags=4098(NOSUID|BIND)",
        ),
    ]);
}

#[test]
fn programs_that_are_run() {
    check(&[
        (
            "{event: execve, users: {www: 33}, container: {image: 'nginx:1', name: web},
              process: {name: payload, exe: ./payload, path: /tmp/payload, args: [-a, 'b c'], uid: 33, gid: 33, cwd: /tmp, login_uid: 1000, tty: 34816, vpid: 7,
                env: {LANG: C, PATH: /bin}, binary: {upper_layer: true, writable: true, age: 5},
                parent: {name: sh, pid: 500, exe: /bin/sh, args: [-c, ./payload], parent: {name: nginx, ancestors: [containerd-shim]}}}}",
            "evt.type = execve
             proc.name = payload
             proc.exe = ./payload
             proc.exepath = /tmp/payload
             proc.args = -a b c
             proc.cmdline = payload -a b c
             proc.exeline = ./payload -a b c
             proc.cmdnargs = 2
             proc.cmdlenargs = 5
             proc.pname = sh
             proc.pexe = /bin/sh
             proc.pexepath = /bin/sh
             proc.pcmdline = sh -c ./payload
             proc.aname = sh nginx containerd-shim systemd
             proc.aname[0] = payload
             proc.aname[1] = sh
             proc.aname[2] = nginx
             proc.aname[3] = containerd-shim
             proc.aname[9] = -
             proc.aexepath[2] = /usr/bin/nginx
             proc.acmdline[1] = sh -c ./payload
             proc.loginshellid = 500
             proc.env = LANG=C PATH=/bin
             proc.env[LANG] = C
             proc.env[NONE] = -
             proc.tty = 34816
             proc.vpid = 7
             proc.is_vpgid_leader = true
             proc.is_exe_upper_layer = true
             proc.is_exe_lower_layer = false
             proc.is_exe_writable = true
             proc.is_exe_from_memfd = false
             proc.exe_ino = 4242
             proc.duration = 10000000000
             proc.ppid.duration = 11000000000
             evt.arg.flags = EXE_WRITABLE|EXE_UPPER_LAYER
             evt.arg.uid = www
             user.uid = 33
             user.name = www
             user.homedir = /home/www
             user.loginuid = 1000
             group.gid = 33
             group.name = <NA>
             thread.cap_permitted = 
             container.id = 0123456789ab
             container.name = web
             container.image = nginx:1
             container.image.repository = nginx
             container.image.tag = 1
             fd.name = -",
        ),
        (
            "{event: execveat, process: {name: '3', exe: evil, path: '/memfd:evil (deleted)', binary: {memfd: true}}}",
            "evt.type = execveat
             evt.arg.flags = EXE_WRITABLE|EXE_FROM_MEMFD
             proc.is_exe_from_memfd = true
             proc.is_exe_deleted = true
             container.id = host
             container.name = host
             container.full_id = host
             container.image =
             container.image.repository =
             container.image.tag =
             container.mounts =
             container.mount[0] = -
             container.privileged = false
             container.start_ts = -
             k8s.pod.name = -
             user.name = root
             user.loginuid = -1
             user.loginname = <NA>",
        ),
        (
            "{event: execve, path: /nothing, ret: ENOENT, process: {name: bash}}",
            "evt.res = ENOENT
             evt.arg.filename = /nothing
             proc.name = bash",
        ),
        (
            "{event: execve, process: {name: run.sh, exe: ./run.sh, path: /usr/bin/dash, interpreter: /bin/sh}}",
            "proc.interpreter = /bin/sh
             proc.exepath = /usr/bin/dash",
        ),
        (
            "{event: clone3, flags: 33685504, process: {name: bash}}",
            "evt.arg.flags = CLONE_NEWNS|CLONE_NEWCGROUP
             evt.type = clone3
             evt.arg.res = 0",
        ),
        (
            "{event: procexit, ret: 2304, process: {name: bash}}",
            "evt.arg.ret = 9
             evt.res = -
             proc.name = bash",
        ),
    ]);
}

#[test]
fn sockets() {
    check(&[
        (
            "{event: connect, fd: 3, socket: {local: '10.0.0.1:55', remote: '5.6.7.8:80'}, ret: EINPROGRESS}",
            "fd.name = 10.0.0.1:55->5.6.7.8:80
             fd.typechar = 4
             fd.type = ipv4
             fd.l4proto = tcp
             fd.sip = 5.6.7.8
             fd.cip = 10.0.0.1
             fd.lip = 10.0.0.1
             fd.rip = 5.6.7.8
             fd.sport = 80
             fd.cport = 55
             fd.sproto = http
             fd.sockfamily = ip
             fd.is_server = false
             fd.connected = false
             evt.res = EINPROGRESS
             evt.args = res=-115(EINPROGRESS) tuple=10.0.0.1:55->5.6.7.8:80 fd=3(<4t>10.0.0.1:55->5.6.7.8:80) addr=5.6.7.8:80
             fd.directory = -
             fd.filename = -",
        ),
        (
            "{event: accept4, socket: {local: '[::1]:22', remote: '[fe80::1]:4000', accepted: true}}",
            "fd.name = fe80::1:4000->::1:22
             fd.typechar = 6
             fd.sip = ::1
             fd.cport = 4000
             fd.is_server = true",
        ),
        (
            "{event: connect, fd: 3, socket: {local: '[::ffff:1.2.3.4]:5', remote: '[::ffff:5.6.7.8]:6'}}",
            "fd.name = 1.2.3.4:5->5.6.7.8:6
             fd.typechar = 4",
        ),
        (
            "{event: listen, fd: 3, socket: {local: '0.0.0.0:8080', listening: true}}",
            "fd.name = 0.0.0.0:8080
             fd.sport = 8080
             fd.lport = -
             fd.connected = false
             fd.is_server = true",
        ),
        (
            "{event: sendto, fd: 3, data: 'abc', socket: {local: '10.0.0.1:55', remote: '8.8.8.8:53', protocol: udp, unconnected: true}}",
            "fd.name = 10.0.0.1:55->8.8.8.8:53
             fd.l4proto = udp
             fd.connected = false
             fd.name_changed = true
             evt.buffer = abc
             evt.buflen = 3
             evt.is_io_write = true
             evt.io_dir = write",
        ),
        (
            "{event: connect, fd: 3, socket: {unix: /run/docker.sock}}",
            "fd.name = 63->0 /run/docker.sock
             fd.typechar = u
             fd.type = unix
             fd.sockfamily = unix
             fd.l4proto = <NA>
             fd.sip = -",
        ),
        (
            "{event: socket, family: AF_PACKET, kind: 3, protocol: 768}",
            "evt.arg.domain = AF_PACKET
             evt.args = fd=5(<o>) domain=17(AF_PACKET) type=3 proto=768
             fd.typechar = o",
        ),
        (
            "{event: dup2, fd: 5, new_fd: 1, socket: {local: '10.0.0.1:55', remote: '5.6.7.8:80'}}",
            "evt.rawres = 1
             fd.num = 1
             fd.type = ipv4
             fd.sip = 5.6.7.8
             evt.arg.oldfd = <4t>10.0.0.1:55->5.6.7.8:80",
        ),
        (
            "{event: connect, io_uring: true, socket: {remote: '5.6.7.8:80'}}",
            "fd.sip = 5.6.7.8
             fd.sport = 80
             fd.typechar = 4
             evt.is_io_uring = true",
        ),
    ]);
}

#[test]
fn other_calls() {
    check(&[
        (
            "{event: ptrace, request: PTRACE_ATTACH, target: 77}",
            "evt.arg.request = PTRACE_ATTACH
             evt.arg.pid = 77",
        ),
        (
            "{event: setuid, id: 33, users: {www: 33}}",
            "evt.arg.uid = www\nevt.rawarg.uid = 33",
        ),
        (
            "{event: setuid, id: 34}",
            "evt.arg.uid = <NA>
             evt.rawarg.uid = 34
             evt.args = res=0 uid=34(<NA>)",
        ),
        (
            "{event: bpf, request: BPF_PROG_LOAD}",
            "evt.arg.cmd = BPF_PROG_LOAD\nevt.rawarg.cmd = 5\nfd.typechar = b",
        ),
        (
            "{event: unshare, flags: CLONE_NEWNS|CLONE_NEWUSER}",
            "evt.arg.flags = CLONE_NEWNS|CLONE_NEWUSER",
        ),
        (
            "{event: kill, target: 5, signal: 15}",
            "evt.args = res=0 pid=5 sig=15(SIGTERM)",
        ),
        (
            "{event: setns, fd: 4, flags: CLONE_NEWPID}",
            "evt.arg.nstype = CLONE_NEWPID",
        ),
        ("{event: finit_module, fd: 4, text: 'a=b'}", "evt.arg.uargs = a=b"),
        (
            "{event: reboot}",
            "evt.type = reboot\nevt.args = \nsyscall.type = reboot",
        ),
        (
            "{event: userfaultfd}",
            "fd.typechar = u\nevt.type.is.userfaultfd = 1\nevt.type.is.bpf = 0",
        ),
    ]);
}

#[test]
fn containers_and_pods() {
    check(&[(
        "{event: openat, path: /x, container: {id: '3ad7b26ded6d', runtime: containerd, image: 'r.example/a/b:2@sha256:ff', privileged: true,
          mounts: ['/:/host', '/var/run/docker.sock:/var/run/docker.sock:ro'], pod: shop/cart-0, pod_labels: {app: cart}, labels: {x: y}, host_pid: true}}",
        "container.id = 3ad7b26ded6d
         container.type = containerd
         container.privileged = true
         container.image.repository = r.example/a/b
         container.image.digest = sha256:ff
         container.mount.dest[/] = /host
         container.mount.dest[/var/run/*] = /var/run/docker.sock
         container.mount.dest[/etc] = -
         container.mount.source[/host] = /
         container.mount.rdwr[1] = false
         container.mount[0] = /:/host::true:rprivate
         container.mounts = /:/host::true:rprivate,/var/run/docker.sock:/var/run/docker.sock:ro:false:rprivate
         container.label.x = y
         container.host_pid = true
         container.start_ts = 1700001000000000000
         k8s.pod.name = cart-0
         k8s.ns.name = shop
         k8s.pod.label.app = cart
         k8smeta.pod.labels = app:cart
         fd.containername = 3ad7b26ded6d:/x",
    )]);
}

#[test]
fn every_field_answers_for_every_event() {
    // No field panics, and none gives a value of another kind than it says, whatever the event.
    for kind in
        model::event::EventType::all().filter(|kind| kind.info().is_syscall || kind.name() == "procexit")
    {
        let sample = crate::sample::Sample {
            event: kind.name().to_owned(),
            path: Some("a/../b".to_owned()),
            ..crate::sample::Sample::default()
        };
        let Ok(event) = sample.event() else { continue };
        for (field, info) in FIELDS
            .iter()
            .filter(|(_, info)| info.sources.contains(&"syscall"))
        {
            let arguments = match info.argument {
                ArgumentRule::None => vec![Argument::None],
                _ => vec![
                    Argument::None,
                    Argument::Index(3),
                    Argument::Index(u64::MAX),
                    Argument::Key("*".into()),
                ],
            };
            for argument in arguments {
                let value = event.value(*field, &argument);
                if info.list {
                    assert!(
                        matches!(value, Value::Absent | Value::List(_)),
                        "{}: {value:?}",
                        info.name
                    );
                }
            }
        }
    }
}

#[test]
fn the_process_that_a_call_acts_on_is_named() {
    let samples = parse(
        "- {event: execve, process: {name: daemon, pid: 700}}\n\
         - {event: kill, target: 700, signal: 9, process: {name: bash}}\n\
         - {event: ptrace, target: 700, request: PTRACE_SEIZE, process: {name: gdb}}\n\
         - {event: kill, target: 701, process: {name: bash}}\n\
         - {event: kill, target: 700, process: {name: bash}, container: {image: nginx}}\n",
    )
    .unwrap();
    let events = crate::sample::events(&samples).unwrap();
    let targets: Vec<String> = events[1..]
        .iter()
        .map(|event| ask(event, "evt.arg.pid"))
        .collect();
    // The last one gives a number of its own PID namespace.
    assert_eq!(targets, ["daemon", "daemon", "701", "700"]);
}

#[test]
fn the_catalogue_lists_fields_by_what_they_are_about() {
    for (field, info) in FIELDS
        .iter()
        .filter(|(_, info)| info.sources.contains(&"syscall"))
    {
        let about = info.name.split('.').next().unwrap();
        let expected: &[&str] = if *field == Field::UtilCnt {
            &["util"]
        } else if *field < Field::FdNum {
            &["evt", "syscall"]
        } else if *field < Field::ProcPid {
            &["fd", "fdlist", "fs"]
        } else if *field < Field::UtilCnt {
            &["proc", "thread", "user", "group"]
        } else {
            &["container", "k8s", "k8smeta"]
        };
        assert!(expected.contains(&about), "{}", info.name);
    }
}
