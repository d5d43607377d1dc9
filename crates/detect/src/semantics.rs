//! Tests of what rules mean: each trap of the language, rules that change each other, and the shipped rule files.

use crate::test_event::TestEvent;
use crate::{Code, Evaluator, LoadOptions, LoadResult, Loader, RuleSet};
use model::event::{EventType, Field, Value};
use std::net::IpAddr;
use std::sync::Arc;

fn load(files: &[&str]) -> (Vec<LoadResult>, RuleSet) {
    load_with(files, LoadOptions::default())
}

fn load_with(files: &[&str], options: LoadOptions) -> (Vec<LoadResult>, RuleSet) {
    let mut loader = Loader::new(options).unwrap();
    let results = files
        .iter()
        .enumerate()
        .map(|(index, text)| loader.add(&format!("{index}.yaml"), text.as_bytes()))
        .collect();
    (results, loader.finish())
}

fn rule(name: &str, condition: &str) -> String {
    let condition = condition.replace('\'', "''");
    format!("- rule: {name}\n  desc: d\n  condition: '{condition}'\n  output: o\n  priority: INFO\n")
}

fn source_rule(source: &str, condition: &str) -> String {
    rule("r", condition) + &format!("  source: {source}\n")
}

fn fired(rules: &Arc<RuleSet>, event: &TestEvent) -> Vec<String> {
    let mut names = Vec::new();
    let mut evaluator = Evaluator::new(Arc::clone(rules));
    evaluator.evaluate(event, |id| names.push(rules.rule(id).unwrap().name.clone()));
    names
}

fn loaded(text: &str) -> Arc<RuleSet> {
    let (results, rules) = load(&[text]);
    assert!(results[0].successful(), "{}", said(&results[0]));
    Arc::new(rules)
}

fn said(result: &LoadResult) -> String {
    result
        .errors
        .iter()
        .chain(&result.warnings)
        .map(crate::Finding::to_text)
        .collect()
}

fn holds(condition: &str, event: &TestEvent) -> bool {
    let rules = loaded(&rule("r", condition));
    !fired(&rules, event).is_empty()
}

fn error_of(text: &str) -> (Code, String) {
    let (results, _) = load(&[text]);
    let error = results[0]
        .errors
        .first()
        .unwrap_or_else(|| panic!("no error in {text}"));
    (error.code, error.message.clone())
}

fn opened() -> TestEvent {
    TestEvent::new("openat")
        .text("proc.name", "cat")
        .text("fd.name", "/etc/ssh/sshd_config")
        .text("proc.cmdline", "cat /etc/ssh/sshd_config --Verbose")
        .number("fd.num", 3)
        .number("evt.rawres", -2)
        .text("evt.res", "ENOENT")
        .truth("evt.is_open_read", true)
        .with("evt.num", Value::Uint(7))
        .text("evt.arg.flags", "O_RDONLY|O_CLOEXEC")
        .with(
            "evt.buffer",
            Value::Bytes(b"\x00\xca\xfe\xba\xbe\x01".to_vec().into()),
        )
        .list("proc.aname", &["bash", "sshd", "systemd"])
        .text("proc.aname[2]", "sshd")
        .list("fd.types", &["file", "pipe"])
        .with("proc.duration", Value::Uint(5_000_000_000))
        .text("user.name", "Root")
        .text("proc.pname", "cat")
        .number("user.loginuid", -1)
        .text("fd.directory", "/etc/ssh")
}

#[test]
fn operators_mean_what_falco_means() {
    let event = opened();
    let cases = [
        // A field without a value makes every operator false, and so its negation true.
        ("proc.cwd = x", false),
        ("proc.cwd != x", false),
        ("not proc.cwd = x", true),
        ("not proc.cwd != x", true),
        ("proc.cwd exists", false),
        ("not proc.cwd exists", true),
        ("proc.cwd in (x, y)", false),
        ("proc.cwd contains x", false),
        ("proc.cwd startswith \"\"", false),
        ("proc.vpid >= 0", false),
        // Texts.
        ("proc.name exists", true),
        ("proc.name = cat", true),
        ("proc.name == cat", true),
        ("proc.name != cat", false),
        ("proc.name = Cat", false),
        ("proc.name in (bat, cat)", true),
        ("proc.name in ()", false),
        ("proc.name intersects (bat, cat)", true),
        ("proc.cmdline contains ssh/sshd", true),
        ("proc.cmdline contains SSHD", false),
        ("proc.cmdline icontains --verbose", true),
        ("proc.cmdline icontains SSHD_CONFIG", true),
        ("proc.cmdline icontains \"\"", true),
        ("proc.cmdline icontains verbosely", false),
        ("fd.name startswith /etc", true),
        ("fd.name endswith config", true),
        ("fd.name endswith /etc", false),
        ("fd.name glob /etc/*config", true),
        ("fd.name glob /ETC/*config", false),
        ("fd.name iglob /ETC/*CONFIG", true),
        ("fd.name regex \"/etc/.*\"", true),
        ("fd.name regex etc", false),
        ("fd.name regex \"/e.*|x\"", true),
        ("fd.name pmatch (/etc, /var)", true),
        ("fd.name pmatch (/etc/ssh/sshd_config)", true),
        ("fd.name pmatch (/et)", false),
        ("fd.name pmatch (/*/ssh)", true),
        ("evt.arg.flags contains O_CLOEXEC", true),
        ("evt.arg.flags contains O_TRUNC", false),
        // Buffers, with bytes in hexadecimal.
        ("evt.buffer bcontains cafebabe", true),
        ("evt.buffer bcontains CAFEBABE", true),
        ("evt.buffer bstartswith 00ca", true),
        ("evt.buffer bstartswith cafe", false),
        // Numbers.
        ("fd.num >= 0", true),
        ("fd.num > 3", false),
        ("fd.num < 4", true),
        ("fd.num <= 2", false),
        ("fd.num = 3", true),
        ("fd.num = 0x3", true),
        ("fd.num != 3", false),
        ("fd.num in (1, 2, 3)", true),
        ("evt.rawres < 0", true),
        ("evt.rawres = -2", true),
        ("user.loginuid = -1", true),
        ("proc.duration > 4000000000", true),
        ("evt.rawres >= 0 or evt.res = EINPROGRESS", false),
        ("fd.num = 3 and evt.res startswith E", true),
        // Truth values.
        ("evt.is_open_read = true", true),
        ("evt.is_open_read = false", false),
        ("evt.is_open_read != false", true),
        ("evt.is_open_read in (true, false)", true),
        // Ancestors: any of them, for every operator.
        ("proc.aname = sshd", true),
        ("proc.aname = cat", false),
        ("proc.aname != sshd", true),
        ("not proc.aname = sshd", false),
        ("proc.aname in (nginx, systemd)", true),
        ("proc.aname startswith ssh", true),
        ("proc.aname[2] = sshd", true),
        ("proc.aname[3] = systemd", false),
        // Lists: `in` asks for all values, `intersects` for any.
        ("fd.types in (file)", false),
        ("fd.types in (file, pipe, x)", true),
        ("fd.types intersects (file)", true),
        ("fd.types intersects (x)", false),
        ("fd.types exists", true),
        ("fd.types startswith anyof (fi)", true),
        // Modifiers.
        ("proc.cmdline contains anyof (x y z, ssh)", true),
        ("proc.cmdline contains allof (etc, ssh)", true),
        ("proc.cmdline contains allof (etc, nothing)", false),
        ("proc.cmdline contains oneof (etc, nothing)", true),
        ("proc.cmdline contains oneof (etc, ssh)", false),
        ("proc.cwd contains anyof (etc)", false),
        // Right sides that are values.
        ("proc.name = val(proc.pname)", true),
        ("proc.name != val(proc.pname)", false),
        ("proc.name = val(proc.cwd)", false),
        ("proc.name != val(proc.cwd)", false),
        ("fd.name startswith val(fd.directory)", true),
        ("sshd = x or proc.name = cat", true),
        ("proc.pname in val(proc.aname)", false),
        ("tolower(user.name) = root", true),
        ("user.name = root", false),
        ("tolower(user.name) = tolower(user.name)", true),
        ("len(proc.name) = 3", true),
        ("fd.num = len(proc.name)", true),
        ("basename(fd.name) = sshd_config", true),
        // What is always or never true.
        ("evt.num = 0", false),
        ("evt.num = 0 or proc.name = cat", true),
        ("evt.num >= 0", true),
        ("evt.num = 7", true),
        ("not evt.num = 0", true),
        // Types.
        ("evt.type = openat", true),
        ("evt.type = open", false),
        ("evt.type in (open, openat)", true),
        ("evt.type != open", true),
        ("evt.type startswith open", true),
        ("evt.dir = <", true),
        ("evt.dir = >", false),
        ("syscall.type = openat", true),
        ("evt.type.is.openat = 1", true),
        ("evt.type.is.open = 1", false),
        ("not (evt.type = open or proc.name = bat)", true),
    ];
    for (condition, expected) in cases {
        // `sshd = x` is no field: it stands in for conditions that are errors.
        if condition.starts_with("sshd = x") {
            assert_eq!(error_of(&rule("r", condition)).0, Code::CompileConditionError);
            continue;
        }
        // Lists with blanks in items are quoted here for the reader of the table.
        let condition = condition.replace("(x y z,", "(\"x y z\",");
        assert_eq!(holds(&condition, &event), expected, "{condition}");
    }
}

#[test]
fn equality_stops_at_nul_and_sets_do_not() {
    let event = TestEvent::new("open").with("fd.name", Value::owned_text(b"/etc\0x".to_vec()));
    assert!(holds("fd.name = /etc", &event));
    assert!(!holds("fd.name != /etc", &event));
    assert!(!holds("fd.name in (/etc, y)", &event));
    assert!(holds("len(fd.name) = 4", &event));
    let odd = TestEvent::new("open").with("fd.name", Value::owned_text(b"/a\xffb".to_vec()));
    assert!(holds("fd.name regex \"/a.b\"", &odd));
    assert!(holds("fd.name glob \"/a?b\"", &odd));
}

#[test]
fn connections_have_two_ends() {
    let ip = |text: &str| text.parse::<IpAddr>().ok();
    let event = TestEvent::new("connect")
        .with("fd.ip", Value::Addresses([ip("10.0.0.5"), ip("8.8.8.8")]))
        .with("fd.net", Value::Addresses([ip("10.0.0.5"), ip("8.8.8.8")]))
        .with("fd.port", Value::Ports([Some(40_000), Some(53)]))
        .with("fd.proto", Value::Ports([Some(40_000), Some(53)]))
        .address("fd.sip", "8.8.8.8")
        .address("fd.snet", "8.8.8.8")
        .address("fd.cip", "::ffff:10.0.0.5")
        .with("fd.sport", Value::Uint(53));
    let cases = [
        ("fd.ip = 8.8.8.8", true),
        ("fd.ip = 10.0.0.5", true),
        ("fd.ip = 1.1.1.1", false),
        ("fd.ip != 8.8.8.8", false),
        ("fd.ip != 1.1.1.1", true),
        ("fd.ip in (1.1.1.1, 8.8.8.8)", true),
        ("fd.net = 10.0.0.0/8", true),
        ("fd.net in (192.168.0.0/16, 8.0.0.0/8)", true),
        ("fd.net != 10.0.0.0/8", false),
        ("fd.snet in (\"10.0.0.0/8\")", false),
        ("fd.snet = 8.8.0.0/255.255.0.0", true),
        ("fd.sip in (1.1.1.1, 8.8.0.0/16)", true),
        ("fd.cip = 10.0.0.5", true),
        ("fd.cip = ::1", false),
        ("fd.port = 53", true),
        ("fd.port != 53", false),
        ("fd.port > 39999", true),
        ("fd.port in (53, 80)", true),
        ("fd.proto = domain", true),
        ("fd.sport = domain", true),
        ("fd.sport = https", false),
        ("fd.rip = 8.8.8.8", false),
        ("fd.rip != 8.8.8.8", false),
        ("fd.sip = val(fd.sip)", true),
        ("fd.ip = val(fd.sip)", true),
        ("fd.ip != val(fd.sip)", false),
    ];
    for (condition, expected) in cases {
        assert_eq!(holds(condition, &event), expected, "{condition}");
    }
}

#[test]
fn names_of_servers_are_those_looked_up() {
    let text = "- list: miners\n  items: [pool.example, other.example, 9.9.9.9]\n".to_owned()
        + &rule("r", "evt.type = connect and fd.sip.name in (miners)");
    let rules = loaded(&text);
    assert_eq!(rules.names_to_resolve(), ["pool.example", "other.example"]);
    let event = TestEvent::new("connect").address("fd.sip", "1.2.3.4");
    assert!(fired(&rules, &event).is_empty());
    rules.set_resolved("other.example", &["1.2.3.4".parse().unwrap()]);
    assert_eq!(fired(&rules, &event), ["r"]);
    rules.set_resolved("other.example", &[]);
    assert!(fired(&rules, &event).is_empty());
    let itself = TestEvent::new("connect").address("fd.sip", "9.9.9.9");
    assert_eq!(fired(&rules, &itself), ["r"]);
    assert!(rules.uses(Field::FdSip));
    let (code, message) = error_of(&rule("r", "fd.sip.name contains pool"));
    assert_eq!(code, Code::CompileConditionError);
    assert!(message.contains("looked up"), "{message}");
}

#[test]
fn wrong_conditions_are_errors() {
    let cases = [
        ("proc.nam = x", "did you mean `proc.name`?"),
        ("evt.type = opne", "did you mean `open`?"),
        ("evt.type in (open, opne)", "no event type is called `opne`"),
        (
            "evt.arg.flag contains x",
            "no event has a parameter called `flag`",
        ),
        ("spawned_proces", "no macro is called"),
        ("proc.name in missing_list", "no list is called"),
        ("fd.num = x", "is not a number"),
        ("fd.num contains 3", "does not work on"),
        ("evt.is_open_read = yes", "is not `true` or `false`"),
        ("fd.sip = nowhere", "is not an address"),
        ("fd.sip > 1", "does not work on"),
        ("fd.net = 10.0.0.0/33", "is not an address"),
        ("proc.name bcontains 00", "does not work on"),
        ("evt.buffer bcontains 0", "hexadecimal"),
        ("evt.buffer bcontains zz", "hexadecimal"),
        ("evt.buffer glob x", "does not work on"),
        ("fd.types = file", "which is a list"),
        ("proc.name regex \"(\"", "is no regular expression"),
        ("proc.name = val(proc.pid)", "cannot be compared"),
        ("proc.name = val(fd.types)", "cannot compare with a list"),
        ("proc.name regex val(proc.pname)", "written in the rule"),
        (
            "ka.verb = get",
            "events of the source `syscall` have no `ka.verb`",
        ),
        ("proc.name = x and", "the condition ends after `and`"),
        ("proc.name = x AND proc.name = y", "in small letters"),
        ("proc.env contains A=b", "stands in quotes"),
        ("fd.port = nothing", "is not a number"),
    ];
    for (condition, expected) in cases {
        let (code, message) = error_of(&rule("r", condition));
        assert_eq!(code, Code::CompileConditionError, "{condition}");
        assert!(message.contains(expected), "{condition}: {message}");
    }
}

#[test]
fn errors_name_the_place_in_the_file() {
    let text = "\
- list: l
  items: [a, b]

- macro: m
  condition: >
    proc.name in (l) and
    proc.nam = x

- rule: r
  desc: d
  condition: >
    evt.type = open and m
  output: o
  priority: INFO
";
    let (results, _) = load(&[text]);
    let error = &results[0].errors[0];
    let last = error.locations.last().unwrap();
    assert_eq!(
        (last.position.line, last.position.column),
        (6, 4),
        "{}",
        error.to_text()
    );
    assert!(
        error.to_text().contains("  --> 0.yaml:7:5 in rule `r`"),
        "{}",
        error.to_text()
    );
    assert!(
        error.to_text().contains(" 7 |     proc.nam = x\n   |     ^"),
        "{}",
        error.to_text()
    );
    let json = crate::results_to_json(&results);
    let first = &json["falco_load_results"][0];
    assert_eq!(first["successful"], false);
    assert_eq!(first["name"], "0.yaml");
    assert_eq!(first["errors"][0]["code"], "LOAD_ERR_COMPILE_CONDITION");
    assert_eq!(first["errors"][0]["codedesc"], "Error compiling condition");
    let locations = first["errors"][0]["context"]["locations"].as_array().unwrap();
    assert_eq!(locations[1]["item_type"], "rule");
    assert_eq!(locations[1]["item_name"], "r");
    assert_eq!(locations[2]["position"]["line"], 6);
}

fn codes(text: &str) -> Vec<&'static str> {
    let (results, _) = load(&[text]);
    results[0]
        .errors
        .iter()
        .chain(&results[0].warnings)
        .map(|finding| finding.code.code())
        .collect()
}

#[test]
fn files_are_checked_in_falcos_classes() {
    let good = rule("r", "evt.type = open");
    let cases: Vec<(String, Vec<&str>)> = vec![
        (String::new(), vec![]),
        ("---\n".to_owned(), vec![]),
        (good.clone(), vec![]),
        (format!("{good}---\n{}", rule("s", "evt.type = open")), vec![]),
        ("a: b\n".to_owned(), vec!["LOAD_ERR_YAML_VALIDATE"]),
        ("- a\n".to_owned(), vec!["LOAD_ERR_YAML_VALIDATE"]),
        ("- [\n".to_owned(), vec!["LOAD_ERR_YAML_PARSE"]),
        ("- foo: x\n".to_owned(), vec!["LOAD_UNKNOWN_ITEM"]),
        (format!("{good}  colour: red\n"), vec!["LOAD_UNKNOWN_KEY"]),
        ("- rule: r\n  desc: d\n  condition: evt.type=open\n  output: o\n".to_owned(), vec!["LOAD_ERR_YAML_VALIDATE"]),
        (good.replace("INFO", "LOUD"), vec!["LOAD_ERR_YAML_VALIDATE"]),
        (good.replace("INFO", "info"), vec![]),
        (format!("{good}  source: nowhere\n"), vec!["LOAD_UNKNOWN_SOURCE"]),
        (format!("{good}{}", source_rule("k8s_audit", "ka.verb = get").replace("rule: k8s_audit", "rule: r")), vec!["LOAD_ERR_VALIDATE"]),
        ("- list: l\n  items: [a]\n  override: {items: replace}\n".to_owned(), vec!["LOAD_UNUSED_LIST"]),
        ("- list: l\n  items: [a]\n  override: {items: append}\n".to_owned(), vec!["LOAD_ERR_VALIDATE"]),
        ("- macro: m\n  condition: evt.type=open\n  override: {condition: replace}\n".to_owned(), vec!["LOAD_UNUSED_MACRO"]),
        ("- macro: m\n  condition: or evt.type=open\n  override: {condition: append}\n".to_owned(), vec!["LOAD_ERR_VALIDATE"]),
        (format!("{good}  enabled: perhaps\n"), vec!["LOAD_ERR_YAML_VALIDATE"]),
        (format!("{good}  tags: x\n"), vec!["LOAD_ERR_YAML_VALIDATE"]),
        (rule("r", "proc.name = x"), vec!["LOAD_NO_EVTTYPE"]),
        (format!("{}  warn_evttypes: false\n", rule("r", "proc.name = x")), vec![]),
        (rule("r", "evt.type != open"), vec!["LOAD_NO_EVTTYPE"]),
        (rule("r", "not evt.type = open"), vec!["LOAD_NO_EVTTYPE"]),
        (rule("r", "not (evt.type != open or proc.name = x)"), vec![]),
        (rule("r", "evt.type = open and evt.dir = <"), vec!["LOAD_DEPRECATED_ITEM"]),
        (rule("r", "evt.type = open and thread.cpu > 3"), vec!["LOAD_UNSUPPLIED_FIELD"]),
        (good.replace("output: o", "output: a %proc.nam"), vec!["LOAD_ERR_COMPILE_OUTPUT"]),
        (good.replace("output: o", "output: a %ka.verb"), vec!["LOAD_ERR_COMPILE_OUTPUT"]),
        (format!("{}  skip-if-unknown-filter: true\n", rule("r", "proc.nam = x")), vec!["LOAD_UNKNOWN_FILTER"]),
        (format!("{}  skip-if-unknown-filter: true\n", rule("r", "evt.type = opn")), vec!["LOAD_UNKNOWN_FILTER"]),
        (format!("{}  skip-if-unknown-filter: true\n", rule("r", "evt.type = open and fd.num = x")), vec!["LOAD_ERR_COMPILE_CONDITION"]),
        ("- macro: m\n  condition: evt.type=open\n".to_owned(), vec!["LOAD_UNUSED_MACRO"]),
        ("- macro: m\n  condition: proc.nam=open\n".to_owned(), vec!["LOAD_UNUSED_MACRO"]),
        ("- macro: m\n  condition: proc.name=\n".to_owned(), vec!["LOAD_ERR_COMPILE_CONDITION", "LOAD_UNUSED_MACRO"]),
        ("- macro: m\n  condition: other\n".to_owned(), vec!["LOAD_ERR_COMPILE_CONDITION", "LOAD_UNUSED_MACRO"]),
        ("- macro: 1m\n  condition: evt.type=open\n".to_owned(), vec!["LOAD_INVALID_MACRO_NAME", "LOAD_UNUSED_MACRO"]),
        ("- list: l\n  items: [1, a]\n".to_owned(), vec!["LOAD_UNUSED_LIST"]),
        ("- list: a b\n  items: []\n".to_owned(), vec!["LOAD_INVALID_LIST_NAME", "LOAD_UNUSED_LIST"]),
        ("- list: l\n".to_owned(), vec!["LOAD_ERR_YAML_VALIDATE"]),
        ("- list: l\n  items: x\n".to_owned(), vec!["LOAD_ERR_YAML_VALIDATE"]),
        ("- list: l\n  items: [[a]]\n".to_owned(), vec!["LOAD_ERR_YAML_VALIDATE"]),
        ("- required_engine_version: 0.57.0\n".to_owned(), vec![]),
        ("- required_engine_version: 63\n".to_owned(), vec![]),
        ("- required_engine_version: 64\n".to_owned(), vec!["LOAD_ERR_VALIDATE"]),
        ("- required_engine_version: 1.0.0\n".to_owned(), vec!["LOAD_ERR_VALIDATE"]),
        ("- required_engine_version: new\n".to_owned(), vec!["LOAD_ERR_YAML_VALIDATE"]),
        ("- required_plugin_versions:\n  - name: json\n    version: 0.7.0\n".to_owned(), vec![]),
        ("- required_plugin_versions:\n  - name: nothing\n    version: 0.1.0\n".to_owned(), vec!["LOAD_ERR_VALIDATE"]),
        ("- required_plugin_versions:\n  - name: nothing\n    version: 0.1.0\n    alternatives:\n    - {name: json, version: 0.1.0}\n".to_owned(), vec![]),
        ("- rule: r\n  enabled: false\n".to_owned(), vec!["LOAD_ERR_VALIDATE", "LOAD_DEPRECATED_ITEM"]),
        ("- rule: r\n  condition: and x\n  append: true\n".to_owned(), vec!["LOAD_ERR_VALIDATE", "LOAD_DEPRECATED_ITEM"]),
        (format!("{good}- rule: r\n  condition: and proc.name=x\n  append: true\n"), vec!["LOAD_DEPRECATED_ITEM"]),
        (format!("{good}- rule: r\n  condition: x\n  append: true\n  override:\n    condition: append\n"), vec!["LOAD_ERR_YAML_VALIDATE"]),
        (format!("{good}- rule: r\n  condition: and proc.name=x\n  override:\n    condition: append\n"), vec![]),
        (format!("{good}- rule: r\n  priority: ERROR\n  override:\n    priority: append\n"), vec!["LOAD_ERR_YAML_VALIDATE"]),
        (format!("{good}- rule: r\n  priority: ERROR\n  output: x\n  override:\n    priority: replace\n"), vec!["LOAD_ERR_YAML_VALIDATE"]),
        (format!("{good}- rule: r\n  priority: ERROR\n  override:\n    priority: replace\n    output: replace\n"), vec!["LOAD_ERR_YAML_VALIDATE"]),
        (format!("{good}- rule: r\n  source: k8s_audit\n  override:\n    source: replace\n"), vec!["LOAD_ERR_YAML_VALIDATE"]),
        (format!("{good}  exceptions:\n  - name: e\n    fields: proc.name\n    values: [a]\n"), vec![]),
        (format!("{good}  exceptions:\n  - name: e\n"), vec!["LOAD_ERR_VALIDATE"]),
        (format!("{good}  exceptions:\n  - fields: proc.name\n"), vec!["LOAD_ERR_YAML_VALIDATE"]),
        (format!("{good}  exceptions:\n  - {{name: e, fields: proc.nam}}\n"), vec!["LOAD_ERR_VALIDATE"]),
        (format!("{good}  exceptions:\n  - {{name: e, fields: proc.name, comps: startswith}}\n"), vec!["LOAD_ERR_VALIDATE"]),
        (format!("{good}  exceptions:\n  - {{name: e, fields: [proc.name, fd.name], comps: [=]}}\n"), vec!["LOAD_ERR_YAML_VALIDATE"]),
        (format!("{good}  exceptions:\n  - {{name: e, fields: [proc.name, fd.name], values: [[a]]}}\n"), vec!["LOAD_ERR_VALIDATE"]),
        (format!("{good}  exceptions:\n  - {{name: e, fields: proc.name}}\n  - {{name: e, fields: fd.name}}\n"), vec!["LOAD_EXCEPTION_NAME_NOT_UNIQUE"]),
        (source_rule("k8s_audit", "ka.verb = \"<NA>\""), vec!["LOAD_UNSAFE_NA_CHECK"]),
        (source_rule("k8s_audit", "proc.name = x"), vec!["LOAD_ERR_COMPILE_CONDITION"]),
        (rule("r", "evt.type = open and not evt.pluginname = k8saudit"), vec![]),
        (source_rule("k8s_audit", "ka.verb = get and jevt.value[/stage] exists"), vec![]),
    ];
    for (text, expected) in cases {
        let (results, _) = load(&[&text]);
        assert_eq!(codes(&text), expected, "{text}\n{}", said(&results[0]));
    }
}

#[test]
fn macros_see_what_is_defined_before_them() {
    let text = "- macro: a\n  condition: b\n- macro: b\n  condition: evt.type = open\n".to_owned()
        + &rule("r", "a and b");
    let (_, message) = error_of(&text);
    assert!(message.contains("defined later"), "{message}");
    // Defined again, it sees what came in between, and keeps its place.
    let text = "- macro: a\n  condition: evt.type = open\n- macro: b\n  condition: evt.type = openat\n- macro: a\n  condition: b\n"
        .to_owned()
        + &rule("r", "a");
    let rules = loaded(&text);
    assert_eq!(fired(&rules, &TestEvent::new("openat")), ["r"]);
    assert!(fired(&rules, &TestEvent::new("open")).is_empty());
    let text =
        "- macro: a\n  condition: evt.type = open\n- macro: b\n  condition: a\n- macro: a\n  condition: b\n"
            .to_owned()
            + &rule("r", "a");
    let (_, message) = error_of(&text);
    assert!(message.contains("stands on itself"), "{message}");
    // The last definition counts, also for rules of earlier files.
    let first = "- macro: m\n  condition: evt.type = open\n".to_owned() + &rule("r", "m");
    let (results, rules) = load(&[&first, "- macro: m\n  condition: evt.type = openat\n"]);
    assert!(results.iter().all(LoadResult::successful));
    assert_eq!(fired(&Arc::new(rules), &TestEvent::new("openat")), ["r"]);
}

#[test]
fn appending_joins_texts() {
    // `a or b` and then `and c` becomes `a or b and c`, in which `and` comes first.
    let base = rule("r", "evt.type = open or evt.type = openat");
    let appended =
        format!("{base}- rule: r\n  condition: and proc.name = x\n  override:\n    condition: append\n");
    let rules = loaded(&appended);
    assert_eq!(fired(&rules, &TestEvent::new("open")), ["r"]);
    assert!(fired(&rules, &TestEvent::new("openat")).is_empty());
    let replaced = format!(
        "{base}- rule: r\n  condition: evt.type = connect\n  priority: ERROR\n  tags: [x]\n  output: new\n  enabled: true\n  \
         override: {{condition: replace, priority: replace, tags: append, output: replace, enabled: replace}}\n"
    );
    let rules = loaded(&replaced);
    let (_, changed) = rules.rule_named("r").unwrap();
    assert_eq!(changed.priority.name(), "Error");
    assert_eq!(changed.tags, ["x"]);
    assert_eq!(changed.format, "new");
    assert_eq!(fired(&rules, &TestEvent::new("connect")), ["r"]);
    let list = "- list: l\n  items: [a]\n- list: l\n  items: [b]\n  append: true\n".to_owned()
        + &rule("r", "evt.type = open and proc.name in (l)");
    let rules = loaded(&list);
    assert_eq!(
        fired(&rules, &TestEvent::new("open").text("proc.name", "b")),
        ["r"]
    );
    let off = format!("{base}- rule: r\n  enabled: false\n");
    assert!(fired(&loaded(&off), &TestEvent::new("open")).is_empty());
}

#[test]
fn exceptions_take_events_out() {
    let text = rule("r", "evt.type = open or evt.type = openat")
        + "  exceptions:
  - name: names
    fields: proc.name
    values: [cat, my_list]
  - name: pairs
    fields: [proc.name, fd.name]
    comps: [=, startswith]
    values:
    - [dd, /dev]
    - [vi, \"/tmp/a b\"]
  - name: sets
    fields: [proc.pname, fd.name]
    comps: [in, =]
    values:
    - [[x, y], /one]
    - [my_list, /two]
  - name: modified
    fields: fd.name
    comps: endswith anyof
    values: [.log]
  - name: later
    fields: [user.name]
- rule: r
  exceptions:
  - name: later
    values: [[root]]
  override:
    exceptions: append
";
    let text = format!("- list: my_list\n  items: [less, more]\n{text}");
    let rules = loaded(&text);
    let event = |name: &str, file: &str, parent: &str, user: &str| {
        TestEvent::new("open")
            .text("proc.name", name)
            .text("fd.name", file)
            .text("proc.pname", parent)
            .text("user.name", user)
    };
    let cases = [
        (event("ls", "/x", "p", "u"), true),
        (event("cat", "/x", "p", "u"), false),
        (event("more", "/x", "p", "u"), false),
        (event("dd", "/dev/sda", "p", "u"), false),
        (event("dd", "/x", "p", "u"), true),
        (event("vi", "/tmp/a b c", "p", "u"), false),
        (event("ls", "/one", "y", "u"), false),
        (event("ls", "/one", "less", "u"), true),
        (event("ls", "/two", "less", "u"), false),
        (event("ls", "/x.log", "p", "u"), false),
        (event("ls", "/x", "p", "root"), false),
    ];
    for (event, expected) in cases {
        assert_eq!(!fired(&rules, &event).is_empty(), expected, "{event:?}");
    }
}

#[test]
fn the_first_rule_or_all_rules_fire() {
    let text = rule("first", "evt.type in (open, openat)")
        + &rule("second", "evt.type = open")
        + &rule("off", "evt.type = open")
        + "  enabled: false\n";
    let rules = loaded(&text);
    assert_eq!(fired(&rules, &TestEvent::new("open")), ["first"]);
    let options = LoadOptions {
        all_matches: true,
        ..LoadOptions::default()
    };
    let (_, rules) = load_with(&[&text], options);
    let rules = Arc::new(rules);
    assert_eq!(fired(&rules, &TestEvent::new("open")), ["first", "second"]);
    assert_eq!(fired(&rules, &TestEvent::new("openat")), ["first"]);
    assert!(fired(&rules, &TestEvent::new("close")).is_empty());
    assert_eq!(rules.matches(), [2, 1, 0]);
}

#[test]
fn rules_without_event_types_are_asked_last() {
    let text = rule("any", "proc.name = x") + &rule("some", "evt.type in (open, openat) and proc.name = x");
    let rules = loaded(&text);
    let event = TestEvent::new("open").text("proc.name", "x");
    assert_eq!(fired(&rules, &event), ["some"]);
    let event = TestEvent::new("connect").text("proc.name", "x");
    assert_eq!(fired(&rules, &event), ["any"]);
}

#[test]
fn rules_are_chosen_by_priority_and_tags() {
    let text = rule("low", "evt.type = open")
        + "  tags: [a]\n"
        + &rule("high", "evt.type = openat").replace("INFO", "ERROR")
        + "  tags: [b, c]\n";
    let enabled = |options: LoadOptions| -> Vec<String> {
        let (_, rules) = load_with(&[&text], options);
        rules
            .rules()
            .iter()
            .filter(|rule| rule.enabled)
            .map(|rule| rule.name.clone())
            .collect()
    };
    let tags = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect();
    assert_eq!(enabled(LoadOptions::default()), ["low", "high"]);
    assert_eq!(
        enabled(LoadOptions {
            minimum_priority: Some("warning".parse().unwrap()),
            ..LoadOptions::default()
        }),
        ["high"]
    );
    assert_eq!(
        enabled(LoadOptions {
            tags: tags(&["a"]),
            ..LoadOptions::default()
        }),
        ["low"]
    );
    assert_eq!(
        enabled(LoadOptions {
            without_tags: tags(&["c"]),
            ..LoadOptions::default()
        }),
        ["low"]
    );
}

#[test]
fn rule_sets_say_what_they_need() {
    let text = rule("a", "evt.type in (open, openat) and fd.name startswith /etc")
        + &rule(
            "b",
            "evt.type = execve and proc.aname[2] = x and not evt.type = open",
        )
        + &rule("never", "evt.type = connect and evt.num = 0")
        + &source_rule("k8s_audit", "ka.verb = get");
    let rules = loaded(&text);
    let names: Vec<&str> = rules
        .event_types("syscall")
        .into_iter()
        .map(EventType::name)
        .collect();
    assert_eq!(names, ["open", "openat", "execve"]);
    assert!(rules.event_types("okta").is_empty());
    assert!(rules.uses(Field::FdName) && rules.uses(Field::KaVerb));
    assert!(!rules.uses(Field::ProcCwd));
    assert!(rules.uses(Field::ContainerId), "suggested output");
    let (_, a) = rules.rule_named("a").unwrap();
    assert_eq!(a.event_types().len(), 2);
    let sources: Vec<&str> = rules.sources().collect();
    assert_eq!(sources, ["syscall", "k8s_audit"]);
}

#[test]
fn alerts_carry_the_rule_and_the_fields() {
    let text = rule("r", "evt.type = open").replace("output: o", "output: file %fd.name opened")
        + "  tags: [z, T1059, a]\n";
    let rules = loaded(&text);
    let (id, rule) = rules.rule_named("r").unwrap();
    assert_eq!(rule.techniques().collect::<Vec<_>>(), ["T1059"]);
    let event = TestEvent::new("open")
        .text("fd.name", "/x")
        .text("container.id", "host");
    let alert = rules.to_alert(id, &event, "here").unwrap();
    assert_eq!(
        alert.output,
        "file /x opened container_id=host container_name=<NA> container_image_repository=<NA> container_image_tag=<NA> \
         k8s_pod_name=<NA> k8s_ns_name=<NA>"
    );
    assert_eq!(alert.tags, ["T1059", "a", "z"]);
    assert_eq!(alert.fields[0].0, "fd.name");
    assert_eq!(alert.hostname, "here");
    assert_eq!(alert.time, 1_700_000_000_000_000_000);
    let options = LoadOptions {
        no_suggested_output: true,
        append_output: vec![crate::AppendOutput {
            format: "by %proc.name".to_owned(),
            ..crate::AppendOutput::default()
        }],
        ..LoadOptions::default()
    };
    let (_, rules) = load_with(&[&text], options);
    assert_eq!(
        rules.to_alert(id, &event, "").unwrap().output,
        "file /x opened by <NA>"
    );
}

#[test]
fn macros_that_double_are_asked_once() {
    let mut text = "- macro: m0\n  condition: proc.name = x\n".to_owned();
    for number in 1..400 {
        let before = number - 1;
        text += &format!(
            "- macro: m{number}\n  condition: (m{before} and fd.num = {number}) or (m{before} and fd.num != {number})\n"
        );
    }
    text += &rule("r", "evt.type = open and m399");
    let rules = loaded(&text);
    let event = TestEvent::new("open").text("proc.name", "x").number("fd.num", 3);
    assert_eq!(fired(&rules, &event), ["r"]);
    let (_, rule) = rules.rule_named("r").unwrap();
    // Shown with macros put in, it would be larger than any memory: some stay names.
    assert!(rules.expanded(rule).to_string().len() < 64 << 20);
    let mut deep = "- macro: m0\n  condition: proc.name = x\n".to_owned();
    for number in 1..5_000 {
        let before = number - 1;
        deep += &format!("- macro: m{number}\n  condition: not (m{before} and fd.num = {number})\n");
    }
    deep += &self::rule("r", "m4999");
    let (_, message) = error_of(&deep);
    assert!(message.contains("nested deeper"), "{message}");
}

#[test]
fn huge_conditions_load() {
    let names: Vec<String> = (0..200_000).map(|number| format!("name{number}")).collect();
    let text = format!(
        "- list: l\n  items: [{}]\n{}",
        names.join(", "),
        rule("r", "evt.type = open and proc.name in (l)")
    );
    let rules = loaded(&text);
    let event = TestEvent::new("open").text("proc.name", "name199999");
    assert_eq!(fired(&rules, &event), ["r"]);
    let nested = format!(
        "evt.type = open and {}proc.name = x{}",
        "not (fd.num = 1 and ".repeat(900),
        ")".repeat(900)
    );
    assert!(load(&[&rule("r", &nested)]).0[0].successful());
}

#[test]
fn files_that_belong_together_are_checked_together() {
    let mut loader = Loader::new(LoadOptions::default()).unwrap();
    let first = "- macro: m\n  condition: evt.type = open\n";
    let second = rule("r", "m and proc.nam = x");
    let results = loader.add_all(&[("a", first.as_bytes()), ("b", second.as_bytes())]);
    assert_eq!(said(&results[0]), "");
    assert_eq!(results[1].errors.len(), 1);
    assert!(loader.finish().rules().is_empty());
    let second = rule("r", "m");
    let results = loader.add_all(&[("a", first.as_bytes()), ("b", second.as_bytes())]);
    assert!(results.iter().all(|result| said(result).is_empty()));
    assert_eq!(loader.finish().rules().len(), 1);
}

#[test]
fn sources_have_rules_of_their_own() {
    let text = source_rule(
        "k8s_audit",
        "ka.verb = get and ka.user.groups intersects (admins)",
    ) + &rule("s", "evt.type in (open, pluginevent)");
    let rules = loaded(&text);
    let event = TestEvent::new("pluginevent")
        .source("k8s_audit")
        .text("ka.verb", "get")
        .list("ka.user.groups", &["users", "admins"]);
    assert_eq!(fired(&rules, &event), ["r"]);
    let (id, _) = rules.rule_named("r").unwrap();
    assert_eq!(rules.to_alert(id, &event, "").unwrap().output, "o");
    assert!(fired(&rules, &event.source("okta")).is_empty());
}

#[test]
fn conditions_of_ten_megabytes_load() {
    let long = "a".repeat(10 << 20);
    let text = rule(
        "r",
        &format!("evt.type = open and proc.cmdline contains \"{long}\""),
    );
    let rules = loaded(&text);
    let event = TestEvent::new("open").text("proc.cmdline", &format!("x{long}"));
    assert_eq!(fired(&rules, &event), ["r"]);
    let many: Vec<String> = (0..100_000)
        .map(|number| format!("proc.name = n{number} or proc.cmdline contains \"some text {number}\""))
        .collect();
    let text = rule("r", &format!("evt.type = open and ({})", many.join(" or ")));
    let rules = loaded(&text);
    assert_eq!(
        fired(&rules, &TestEvent::new("open").text("proc.name", "n99999")),
        ["r"]
    );
    let beyond = "a".repeat(crate::filter::LARGEST_CONDITION + 1);
    let error = crate::filter::parse(&beyond).unwrap_err();
    assert!(error.message.contains("longer than"), "{error}");
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the test opens files of the test data")]
fn the_shipped_rule_files_load_alone_and_together() {
    let Some(data) = testkit::family::test_data() else {
        return;
    };
    let folder = data.join("falco/rules");
    let names = [
        "falco_rules.yaml",
        "falco-incubating_rules.yaml",
        "falco-sandbox_rules.yaml",
        "falco-deprecated_rules.yaml",
        "k8s_audit_rules.yaml",
        "aws_cloudtrail_rules.yaml",
        "github.yaml",
        "okta_rules.yaml",
    ];
    let mut together = Loader::new(LoadOptions::default()).unwrap();
    for name in names {
        let content = std::fs::read(folder.join(name)).unwrap();
        let mut alone = Loader::new(LoadOptions::default()).unwrap();
        let result = alone.add(name, &content);
        assert!(result.successful(), "{}", said(&result));
        let strange: Vec<&crate::Finding> = result
            .warnings
            .iter()
            .filter(|finding| {
                !matches!(
                    finding.code,
                    Code::UnusedMacro | Code::UnusedList | Code::DeprecatedItem
                )
            })
            .collect();
        assert!(strange.is_empty(), "{name}: {strange:#?}");
        let result = together.add(name, &content);
        assert!(result.successful(), "{}", said(&result));
    }
    let rules = together.finish();
    let count = |source: &str| rules.rules().iter().filter(|rule| rule.source == source).count();
    assert!(count("syscall") >= 93, "{}", count("syscall"));
    assert_eq!(count("k8s_audit"), 48);
    let stable = std::fs::read(folder.join("falco_rules.yaml")).unwrap();
    let mut loader = Loader::new(LoadOptions::default()).unwrap();
    loader.add("falco_rules.yaml", &stable);
    let rules = Arc::new(loader.finish());
    assert_eq!(rules.rules().len(), 25);
    let read = TestEvent::new("openat")
        .text("proc.name", "cat")
        .text("proc.cmdline", "cat /etc/shadow")
        .text("proc.pname", "bash")
        .text("fd.name", "/etc/shadow")
        .text("fd.nameraw", "/etc/shadow")
        .text("fd.typechar", "f")
        .text("fd.directory", "/etc")
        .text("fd.filename", "shadow")
        .number("fd.num", 3)
        .truth("evt.is_open_read", true)
        .truth("evt.is_open_write", false)
        .with("evt.num", Value::Uint(1))
        .list("proc.aname", &["bash"])
        .text("container.id", "host");
    assert_eq!(fired(&rules, &read), ["Read sensitive file untrusted"]);
    let other = read.clone().text("fd.name", "/etc/hosts");
    assert!(fired(&rules, &other).is_empty());
    let shell = TestEvent::new("execve")
        .text("proc.name", "bash")
        .number("proc.tty", 34_816)
        .text("container.id", "3ad7b26ded6d")
        .text("proc.exepath", "/bin/bash")
        .number("evt.rawres", 0)
        .with("evt.num", Value::Uint(1))
        .truth("proc.is_exe_upper_layer", false)
        .number("proc.vpid", 1)
        .text("proc.cmdline", "bash")
        .text("proc.pname", "runc");
    assert_eq!(fired(&rules, &shell), ["Terminal shell in container"]);
}

#[test]
fn own_rules_load_without_a_word() {
    let mut loader = Loader::new(LoadOptions::default()).unwrap();
    let results = loader.add_own();
    for result in &results {
        assert_eq!(said(result), "", "{}", result.name);
    }
    assert_eq!(loader.finish().rules().len(), crate::rules::ALL.len());
}

#[test]
fn what_no_rule_can_match_is_known_before() {
    let rules = "- macro: outbound\n  condition: (evt.type = connect or (evt.type = sendto and fd.l4proto != tcp))\n\
                 - rule: A\n  desc: d\n  condition: outbound and fd.sport = 53\n  output: o\n  priority: INFO\n";
    let mut loader = Loader::new(LoadOptions::default()).expect("options");
    assert!(loader.add("rules.yaml", rules.as_bytes()).successful());
    let set = loader.finish();
    let can = |kind: &str, protocol: &str| {
        let kind = EventType::named(kind).expect("a type");
        let known = [(Field::FdL4proto, Value::text(protocol.as_bytes()))];
        set.can_match("syscall", kind, &known)
    };
    assert!(can("connect", "tcp"));
    assert!(!can("sendto", "tcp"));
    assert!(can("sendto", "udp"));
    assert!(!can("open", "udp"));
}
