//! The items of rule files: reads them one after the other, and keeps lists, macros and rules as they stand after each.

use super::report::{Code, Finding, LoadResult, Location};
use super::versions;
use crate::filter::{self, Modifier, Operator};
use crate::yaml::{self, Node, Place, Source, Traced, Value};
use model::event::Priority;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Largest rule file in bytes.
const LARGEST_FILE: usize = 64 << 20;

/// A list.
#[derive(Debug, Clone)]
pub(crate) struct List {
    pub(crate) name: String,
    pub(crate) items: Vec<String>,
    /// When it was first defined.
    pub(crate) index: usize,
    /// When it was last defined; it sees what was first defined before.
    pub(crate) sees: usize,
    pub(crate) place: Place,
}

/// A macro.
#[derive(Debug, Clone)]
pub(crate) struct Macro {
    pub(crate) name: String,
    pub(crate) condition: Traced,
    pub(crate) index: usize,
    pub(crate) sees: usize,
    pub(crate) place: Place,
}

/// A rule.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) condition: Traced,
    pub(crate) output: Traced,
    pub(crate) priority: Priority,
    pub(crate) source: String,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) enabled: bool,
    pub(crate) exceptions: Vec<Exception>,
    pub(crate) warn_event_types: bool,
    pub(crate) skip_if_unknown: bool,
    pub(crate) capture: bool,
    pub(crate) capture_duration: Option<u64>,
    pub(crate) place: Place,
}

/// When a rule does not apply.
#[derive(Debug, Clone)]
pub(crate) struct Exception {
    pub(crate) name: String,
    fields: Vec<String>,
    /// Whether fields, comparisons and values stand alone and not in lists.
    single: bool,
    comparisons: Vec<String>,
    /// Each one alternative: a value for each field, or one value of the only field.
    values: Vec<Vec<Given>>,
    place: Place,
}

/// A value of an exception.
#[derive(Debug, Clone)]
enum Given {
    One(String),
    Many(Vec<String>),
}

/// What all files so far have defined.
#[derive(Debug, Clone, Default)]
pub(crate) struct Items {
    pub(crate) lists: Vec<List>,
    pub(crate) macros: Vec<Macro>,
    pub(crate) rules: Vec<Rule>,
    list_index: HashMap<String, usize>,
    macro_index: HashMap<String, usize>,
    rule_index: HashMap<String, usize>,
    next: usize,
}

/// The outermost place of a file.
pub(crate) const CONTENT: &str = "rules content";
const ITEM: &str = "rules content item";

/// How an item changes one that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Append,
    Replace,
}

/// Reads one item of a file.
struct ItemReader<'r> {
    node: &'r Node,
    kind: &'static str,
    name: String,
    result: &'r mut LoadResult,
}

type Fallible<T = ()> = Result<T, ()>;

impl Items {
    /// Reads a file. When the result has an error, the items are not to be used any more.
    pub(crate) fn read(&mut self, name: &str, content: &[u8], result: &mut LoadResult) {
        let Ok(text) = std::str::from_utf8(content) else {
            let mut failed = LoadResult::unreadable(name, "the file is not UTF-8");
            result.errors.append(&mut failed.errors);
            return;
        };
        if text.len() > LARGEST_FILE {
            let reason = format!("the file is larger than {LARGEST_FILE} bytes");
            let mut failed = LoadResult::unreadable(name, &reason);
            result.errors.append(&mut failed.errors);
            return;
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let source = Arc::new(Source {
            name: name.to_owned(),
            text: text.to_owned(),
        });
        let documents = match yaml::read(&source) {
            Ok(documents) => documents,
            Err(error) => {
                result.add(Finding {
                    code: Code::YamlParse,
                    message: error.message,
                    locations: vec![Location::new(CONTENT, name, &error.place)],
                });
                return;
            }
        };
        for document in &documents {
            if document.value == Value::Null {
                continue;
            }
            let Some(items) = document.items() else {
                result.add(Finding {
                    code: Code::YamlValidate,
                    message: format!(
                        "a rule file is a list of items that start with `- rule:`, `- macro:` or `- list:`, this is {}",
                        document.kind()
                    ),
                    locations: vec![Location::new(CONTENT, name, &document.place)],
                });
                return;
            };
            for item in items {
                if self.item(item, result).is_err() {
                    return;
                }
            }
        }
    }

    fn item(&mut self, node: &Node, result: &mut LoadResult) -> Fallible {
        if node.value == Value::Null {
            return Ok(());
        }
        let mut reader = ItemReader {
            node,
            kind: ITEM,
            name: String::new(),
            result,
        };
        if !matches!(node.value, Value::Map(_)) {
            return reader.error(
                Code::YamlValidate,
                &node.place,
                format!(
                    "an item is a map with `rule`, `macro`, `list` or another key, this is {}",
                    node.kind()
                ),
            );
        }
        if let Some(version) = node.get("required_engine_version") {
            reader.kind = "required_engine_version";
            reader.keys(&["required_engine_version"]);
            return reader.engine_version(version);
        }
        if let Some(versions) = node.get("required_plugin_versions") {
            reader.kind = "required plugin versions";
            reader.keys(&["required_plugin_versions"]);
            return reader.plugin_versions(versions);
        }
        if node.get("list").is_some() {
            reader.kind = "list";
            return self.list(reader);
        }
        if node.get("macro").is_some() {
            reader.kind = "macro";
            return self.macro_item(reader);
        }
        if node.get("rule").is_some() {
            reader.kind = "rule";
            return self.rule(reader);
        }
        let known = [
            "rule",
            "macro",
            "list",
            "required_engine_version",
            "required_plugin_versions",
        ];
        let first = node.entries().first().and_then(|(key, _)| key.text());
        let near = first
            .and_then(|first| crate::nearest(first, known))
            .map(|near| format!("; did you mean `{near}`?"))
            .unwrap_or_default();
        reader.warn(
            Code::UnknownItem,
            &node.place,
            format!("no item starts with `{}`{near}", first.unwrap_or_default()),
        );
        Ok(())
    }

    fn take_index(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    fn list(&mut self, mut reader: ItemReader<'_>) -> Fallible {
        reader.keys(&["list", "items", "append", "override"]);
        reader.name = reader.required_text("list")?;
        if reader.name.is_empty()
            || reader
                .name
                .contains(|one: char| one.is_whitespace() || "()\"'=,".contains(one))
        {
            let message = format!(
                "a list cannot be called `{}`: blanks, brackets, quotes, `=` and `,` are not allowed",
                reader.name
            );
            reader.warn(Code::InvalidListName, &reader.node.place, message);
        }
        let overrides = reader.overrides(&["items"], &["items"])?;
        let append = reader.appends(&overrides, "items")?;
        let items_node = reader.required("items")?;
        let Some(nodes) = items_node.items() else {
            return reader.error(
                Code::YamlValidate,
                &items_node.place,
                format!("`items` is a list, this is {}", items_node.kind()),
            );
        };
        let mut items = Vec::with_capacity(nodes.len());
        for node in nodes {
            match node.text() {
                Some(text) => items.push(text.to_owned()),
                None => {
                    return reader.error(
                        Code::YamlValidate,
                        &node.place,
                        format!("an item of a list is a text or number, this is {}", node.kind()),
                    );
                }
            }
        }
        let sees = self.take_index();
        let have = self.list_index.get(&reader.name).copied();
        if append == Some(Change::Append) {
            let Some(list) = have.and_then(|index| self.lists.get_mut(index)) else {
                return reader.missing("list");
            };
            list.items.append(&mut items);
            list.sees = sees;
            return Ok(());
        }
        let index = have
            .and_then(|index| self.lists.get(index))
            .map_or(sees, |list| list.index);
        let list = List {
            name: reader.name.clone(),
            items,
            index,
            sees,
            place: reader.node.place.clone(),
        };
        put(&mut self.lists, &mut self.list_index, &reader.name, list);
        Ok(())
    }

    fn macro_item(&mut self, mut reader: ItemReader<'_>) -> Fallible {
        reader.keys(&["macro", "condition", "append", "override"]);
        reader.name = reader.required_text("macro")?;
        let mut letters = reader.name.chars();
        if !letters.next().is_some_and(|first| first.is_ascii_alphabetic())
            || !letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        {
            let message = format!(
                "a macro cannot be called `{}`: a letter comes first, then letters, digits and `_`",
                reader.name
            );
            reader.warn(Code::InvalidMacroName, &reader.node.place, message);
        }
        let overrides = reader.overrides(&["condition"], &["condition"])?;
        let append = reader.appends(&overrides, "condition")?;
        let condition = reader.required_traced("condition")?;
        let sees = self.take_index();
        let have = self.macro_index.get(&reader.name).copied();
        if append == Some(Change::Append) {
            let Some(have) = have.and_then(|index| self.macros.get_mut(index)) else {
                return reader.missing("macro");
            };
            have.condition.append(&condition);
            have.sees = sees;
            return Ok(());
        }
        let index = have
            .and_then(|index| self.macros.get(index))
            .map_or(sees, |have| have.index);
        let item = Macro {
            name: reader.name.clone(),
            condition,
            index,
            sees,
            place: reader.node.place.clone(),
        };
        put(&mut self.macros, &mut self.macro_index, &reader.name, item);
        Ok(())
    }

    fn rule(&mut self, mut reader: ItemReader<'_>) -> Fallible {
        const APPENDABLE: &[&str] = &["condition", "output", "desc", "tags", "exceptions"];
        const REPLACEABLE: &[&str] = &[
            "condition",
            "output",
            "desc",
            "tags",
            "exceptions",
            "priority",
            "enabled",
            "warn_evttypes",
            "skip-if-unknown-filter",
            "capture",
            "capture_duration",
        ];
        reader.keys(&[
            "rule",
            "desc",
            "condition",
            "output",
            "priority",
            "source",
            "enabled",
            "tags",
            "exceptions",
            "warn_evttypes",
            "skip-if-unknown-filter",
            "capture",
            "capture_duration",
            "append",
            "override",
        ]);
        reader.name = reader.required_text("rule")?;
        let overrides = reader.overrides(APPENDABLE, REPLACEABLE)?;
        let append = reader.boolean("append")?.unwrap_or(false);
        let have = self.rule_index.get(&reader.name).copied();
        if append && !overrides.is_empty() {
            return reader.error(
                Code::YamlValidate,
                &reader.node.place,
                "`append: true` and `override` cannot be used together: name what is appended under `override`".to_owned(),
            );
        }
        if !overrides.is_empty() {
            let Some(rule) = have.and_then(|index| self.rules.get_mut(index)) else {
                return reader.missing("rule");
            };
            return reader.override_rule(rule, &overrides);
        }
        if append {
            reader.warn(
                Code::DeprecatedItem,
                &reader.node.place,
                "`append` is deprecated: name what is appended under `override`, as `condition: append`"
                    .to_owned(),
            );
            let Some(rule) = have.and_then(|index| self.rules.get_mut(index)) else {
                return reader.missing("rule");
            };
            return reader.append_rule(rule);
        }
        let has = |key: &str| reader.node.get(key).is_some();
        let bare = !["condition", "output", "desc", "priority"]
            .iter()
            .any(|key| has(key));
        if bare && has("enabled") {
            reader.warn(
                Code::DeprecatedItem,
                &reader.node.place,
                "`enabled` alone is deprecated: add `override` with `enabled: replace`".to_owned(),
            );
            let enabled = reader.boolean("enabled")?.unwrap_or(true);
            let Some(rule) = have.and_then(|index| self.rules.get_mut(index)) else {
                return reader.missing("rule");
            };
            rule.enabled = enabled;
            return Ok(());
        }
        let rule = reader.whole_rule()?;
        if let Some(before) = have.and_then(|index| self.rules.get(index))
            && before.source != rule.source
        {
            let message = format!(
                "the rule is already there for the source `{}`, it cannot become one of `{}`: give it another name",
                before.source, rule.source
            );
            let place = &reader.node.place;
            return reader.error(Code::Validate, place, message);
        }
        let name = reader.name;
        put(&mut self.rules, &mut self.rule_index, &name, rule);
        Ok(())
    }
}

/// Puts an item in the place of the one with its name, or else last.
fn put<T>(items: &mut Vec<T>, index: &mut HashMap<String, usize>, name: &str, item: T) {
    let next = items.len();
    let at = *index.entry(name.to_owned()).or_insert(next);
    match items.get_mut(at) {
        Some(have) => *have = item,
        None => items.push(item),
    }
}

impl<'r> ItemReader<'r> {
    fn locations(&self, place: &Place) -> Vec<Location> {
        let source = &self.node.place.source.name;
        let mut locations = vec![
            Location::new(CONTENT, source, &self.node.place),
            Location::new(ITEM, "", &self.node.place),
        ];
        if self.kind != ITEM {
            locations.push(Location::new(self.kind, &self.name, &self.node.place));
        }
        if *place != self.node.place {
            locations.push(Location::new("value for", "", place));
        }
        locations
    }

    fn finding(&mut self, code: Code, place: &Place, message: String) {
        let locations = self.locations(place);
        self.result.add(Finding {
            code,
            message,
            locations,
        });
    }

    fn warn(&mut self, code: Code, place: &Place, message: String) {
        self.finding(code, place, message);
    }

    fn error<T>(&mut self, code: Code, place: &Place, message: String) -> Fallible<T> {
        self.finding(code, place, message);
        Err(())
    }

    fn missing(&mut self, what: &str) -> Fallible {
        let message = format!("there is no {what} `{}` to change: define it before", self.name);
        self.error(Code::Validate, &self.node.place, message)
    }

    /// Warns of keys that are not known.
    fn keys(&mut self, known: &[&str]) {
        let node = self.node;
        for (key, _) in node.entries() {
            let text = key.text().unwrap_or_default();
            if !known.contains(&text) {
                let near = crate::nearest(text, known.iter().copied())
                    .map(|near| format!("; did you mean `{near}`?"))
                    .unwrap_or_default();
                let message = format!("`{text}` is not a key of a {} and is ignored{near}", self.kind);
                self.warn(Code::UnknownKey, &key.place, message);
            }
        }
    }

    fn required(&mut self, key: &str) -> Fallible<&'r Node> {
        let node = self.node;
        match node.get(key) {
            Some(value) if value.value != Value::Null => Ok(value),
            Some(value) => self.error(Code::YamlValidate, &value.place, format!("`{key}` is empty")),
            None => {
                let message = format!("the {} has no `{key}`", self.kind);
                self.error(Code::YamlValidate, &node.place, message)
            }
        }
    }

    fn required_text(&mut self, key: &str) -> Fallible<String> {
        self.required_traced(key).map(|traced| traced.text)
    }

    fn required_traced(&mut self, key: &str) -> Fallible<Traced> {
        let value = self.required(key)?;
        match value.traced() {
            Some(traced) if !traced.text.trim().is_empty() => Ok(traced),
            Some(_) => self.error(Code::YamlValidate, &value.place, format!("`{key}` is empty")),
            None => self.error(
                Code::YamlValidate,
                &value.place,
                format!("`{key}` is a text, this is {}", value.kind()),
            ),
        }
    }

    fn boolean(&mut self, key: &str) -> Fallible<Option<bool>> {
        let node = self.node;
        let Some(value) = node.get(key) else {
            return Ok(None);
        };
        match value.boolean() {
            Some(truth) => Ok(Some(truth)),
            None => self.error(
                Code::YamlValidate,
                &value.place,
                format!("`{key}` is `true` or `false`"),
            ),
        }
    }

    /// Texts of a list.
    fn texts(&mut self, key: &str) -> Fallible<Option<Vec<String>>> {
        let node = self.node;
        let Some(value) = node.get(key) else {
            return Ok(None);
        };
        if value.value == Value::Null {
            return Ok(Some(Vec::new()));
        }
        let texts: Option<Vec<String>> = value
            .items()
            .and_then(|items| items.iter().map(|item| item.text().map(str::to_owned)).collect());
        match texts {
            Some(texts) => Ok(Some(texts)),
            None => self.error(
                Code::YamlValidate,
                &value.place,
                format!("`{key}` is a list of texts"),
            ),
        }
    }

    /// What the item changes, from its `override`.
    fn overrides(&mut self, appendable: &[&str], replaceable: &[&str]) -> Fallible<HashMap<String, Change>> {
        let node = self.node;
        let Some(overrides) = node.get("override") else {
            return Ok(HashMap::new());
        };
        if overrides.entries().is_empty() {
            return self.error(
                Code::YamlValidate,
                &overrides.place,
                "`override` is a map that says `append` or `replace` for each key".to_owned(),
            );
        }
        let mut changes = HashMap::new();
        for (key, value) in overrides.entries() {
            let name = key.text().unwrap_or_default();
            let change = match value.text() {
                Some("append") => Change::Append,
                Some("replace") => Change::Replace,
                _ => {
                    return self.error(
                        Code::YamlValidate,
                        &value.place,
                        format!("`{name}` is overridden with `append` or `replace`"),
                    );
                }
            };
            if change == Change::Append && !appendable.contains(&name) {
                let advice = if replaceable.contains(&name) {
                    "cannot be appended to: use `replace`"
                } else {
                    "cannot be overridden"
                };
                return self.error(Code::YamlValidate, &key.place, format!("`{name}` {advice}"));
            }
            if change == Change::Replace && !replaceable.contains(&name) {
                return self.error(
                    Code::YamlValidate,
                    &key.place,
                    format!("`{name}` cannot be overridden"),
                );
            }
            if node.get(name).is_none() {
                return self.error(
                    Code::YamlValidate,
                    &key.place,
                    format!("`{name}` is named under `override`, but the item has no `{name}`"),
                );
            }
            changes.insert(name.to_owned(), change);
        }
        for (key, _) in node.entries() {
            let name = key.text().unwrap_or_default();
            let expected = matches!(name, "rule" | "macro" | "list" | "override" | "append");
            if !expected && replaceable.contains(&name) && !changes.contains_key(name) {
                return self.error(
                    Code::YamlValidate,
                    &key.place,
                    format!("`{name}` is not named under `override`"),
                );
            }
        }
        Ok(changes)
    }

    /// How a list or macro changes the one that is there.
    fn appends(&mut self, overrides: &HashMap<String, Change>, key: &str) -> Fallible<Option<Change>> {
        let append = self.boolean("append")?.unwrap_or(false);
        if append && !overrides.is_empty() {
            return self.error(
                Code::YamlValidate,
                &self.node.place,
                "`append: true` and `override` cannot be used together: name what is appended under `override`".to_owned(),
            );
        }
        if append {
            let message =
                format!("`append` is deprecated: name what is appended under `override`, as `{key}: append`");
            self.warn(Code::DeprecatedItem, &self.node.place, message);
            return Ok(Some(Change::Append));
        }
        Ok(overrides.get(key).copied())
    }

    fn priority(&mut self) -> Fallible<Priority> {
        let text = self.required_text("priority")?;
        match text.trim().parse() {
            Ok(priority) => Ok(priority),
            Err(error) => {
                let node = self.node;
                let place = &node.get("priority").unwrap_or(node).place;
                self.error(Code::YamlValidate, place, format!("{error}"))
            }
        }
    }

    fn duration(&mut self) -> Fallible<Option<u64>> {
        let node = self.node;
        let Some(value) = node.get("capture_duration") else {
            return Ok(None);
        };
        match value.text().and_then(|text| text.parse().ok()) {
            Some(milliseconds) => Ok(Some(milliseconds)),
            None => self.error(
                Code::YamlValidate,
                &value.place,
                "`capture_duration` is a number of milliseconds".to_owned(),
            ),
        }
    }

    fn whole_rule(&mut self) -> Fallible<Rule> {
        let condition = self.required_traced("condition")?;
        let output = self.required_traced("output")?;
        let description = self.required_text("desc")?;
        let priority = self.priority()?;
        let source = match self.node.get("source") {
            Some(_) => self.required_text("source")?,
            None => "syscall".to_owned(),
        };
        let mut exceptions = Vec::new();
        self.exceptions(&mut exceptions, false)?;
        Ok(Rule {
            name: self.name.clone(),
            description,
            condition,
            output,
            priority,
            source,
            tags: self.texts("tags")?.unwrap_or_default().into_iter().collect(),
            enabled: self.boolean("enabled")?.unwrap_or(true),
            exceptions,
            warn_event_types: self.boolean("warn_evttypes")?.unwrap_or(true),
            skip_if_unknown: self.boolean("skip-if-unknown-filter")?.unwrap_or(false),
            capture: self.boolean("capture")?.unwrap_or(false),
            capture_duration: self.duration()?,
            place: self.node.place.clone(),
        })
    }

    fn append_rule(&mut self, rule: &mut Rule) -> Fallible {
        let has_condition = self.node.get("condition").is_some();
        let has_exceptions = self.node.get("exceptions").is_some();
        if !has_condition && !has_exceptions {
            return self.error(
                Code::Validate,
                &self.node.place,
                "what is appended to a rule has a `condition` or `exceptions`".to_owned(),
            );
        }
        if has_condition {
            let condition = self.required_traced("condition")?;
            rule.condition.append(&condition);
        }
        self.exceptions(&mut rule.exceptions, true)
    }

    fn override_rule(&mut self, rule: &mut Rule, overrides: &HashMap<String, Change>) -> Fallible {
        let change = |key: &str| overrides.get(key).copied();
        if let Some(how) = change("condition") {
            let condition = self.required_traced("condition")?;
            match how {
                Change::Append => rule.condition.append(&condition),
                Change::Replace => rule.condition = condition,
            }
        }
        if let Some(how) = change("output") {
            let output = self.required_traced("output")?;
            match how {
                Change::Append => rule.output.append(&output),
                Change::Replace => rule.output = output,
            }
        }
        if let Some(how) = change("desc") {
            let description = self.required_text("desc")?;
            match how {
                Change::Append => {
                    rule.description.push(' ');
                    rule.description.push_str(&description);
                }
                Change::Replace => rule.description = description,
            }
        }
        if let Some(how) = change("tags") {
            let tags = self.texts("tags")?.unwrap_or_default();
            if how == Change::Replace {
                rule.tags.clear();
            }
            rule.tags.extend(tags);
        }
        if let Some(how) = change("exceptions") {
            if how == Change::Replace {
                rule.exceptions.clear();
            }
            self.exceptions(&mut rule.exceptions, how == Change::Append)?;
        }
        if change("priority").is_some() {
            rule.priority = self.priority()?;
        }
        for (key, target) in [
            ("enabled", &mut rule.enabled),
            ("warn_evttypes", &mut rule.warn_event_types),
            ("skip-if-unknown-filter", &mut rule.skip_if_unknown),
            ("capture", &mut rule.capture),
        ] {
            if change(key).is_some()
                && let Some(value) = self.boolean(key)?
            {
                *target = value;
            }
        }
        if change("capture_duration").is_some() {
            rule.capture_duration = self.duration()?;
        }
        Ok(())
    }

    fn exceptions(&mut self, have: &mut Vec<Exception>, append: bool) -> Fallible {
        let node = self.node;
        let Some(exceptions) = node.get("exceptions") else {
            return Ok(());
        };
        if exceptions.value == Value::Null {
            return Ok(());
        }
        let Some(items) = exceptions.items() else {
            return self.error(
                Code::YamlValidate,
                &exceptions.place,
                format!("`exceptions` is a list, this is {}", exceptions.kind()),
            );
        };
        let mut here = BTreeSet::new();
        for item in items {
            let Some(name) = item.get("name").and_then(Node::text) else {
                return self.error(
                    Code::YamlValidate,
                    &item.place,
                    "an exception has a `name`".to_owned(),
                );
            };
            if !here.insert(name.to_owned()) {
                self.warn(
                    Code::ExceptionNameNotUnique,
                    &item.place,
                    format!("two exceptions of the rule are called `{name}`"),
                );
            }
            for (key, _) in item.entries() {
                let text = key.text().unwrap_or_default();
                if !["name", "fields", "comps", "values"].contains(&text) {
                    self.warn(
                        Code::UnknownKey,
                        &key.place,
                        format!("`{text}` is not a key of an exception and is ignored"),
                    );
                }
            }
            let there = have.iter().position(|exception| append && exception.name == name);
            if let Some(index) = there {
                if item.get("fields").is_some() || item.get("comps").is_some() {
                    return self.error(
                        Code::Validate,
                        &item.place,
                        format!("only `values` can be appended to the exception `{name}`"),
                    );
                }
                let (single, count) = (have[index].single, have[index].fields.len());
                let Some(values) = item.get("values") else {
                    self.warn(
                        Code::AppendNoValues,
                        &item.place,
                        format!("nothing is appended to the exception `{name}`"),
                    );
                    continue;
                };
                let mut values = self.exception_values(values, single, count)?;
                have[index].values.append(&mut values);
                continue;
            }
            let exception = self.exception(item, name)?;
            have.push(exception);
        }
        Ok(())
    }

    fn exception(&mut self, item: &Node, name: &str) -> Fallible<Exception> {
        let Some(fields) = item.get("fields") else {
            return self.error(
                Code::Validate,
                &item.place,
                format!("the exception `{name}` has no `fields`"),
            );
        };
        let comps = item.get("comps");
        let (fields_of, single) = match texts_of(fields) {
            Some((fields, single)) if !fields.is_empty() => (fields, single),
            _ => {
                return self.error(
                    Code::YamlValidate,
                    &fields.place,
                    "`fields` is a field or a list of fields".to_owned(),
                );
            }
        };
        let comparisons = match comps.filter(|comps| comps.value != Value::Null) {
            None if single => vec!["in".to_owned()],
            None => vec!["=".to_owned(); fields_of.len()],
            Some(comps) => match texts_of(comps) {
                Some((texts, alone)) if alone == single && texts.len() == fields_of.len() => texts,
                _ => {
                    return self.error(
                        Code::YamlValidate,
                        &comps.place,
                        "`comps` has as many entries as `fields`, and is a text where `fields` is one"
                            .to_owned(),
                    );
                }
            },
        };
        for comparison in &comparisons {
            let Some((operator, modifier)) = comparison_parts(comparison) else {
                let place = comps.map_or(&item.place, |comps| &comps.place);
                return self.error(
                    Code::Validate,
                    place,
                    format!("`{comparison}` is no operator of exceptions"),
                );
            };
            let takes_list = modifier.is_some() || is_list_operator(operator);
            if single && !takes_list {
                let place = comps.map_or(&item.place, |comps| &comps.place);
                return self.error(
                    Code::Validate,
                    place,
                    format!(
                        "`{comparison}` takes one value, but an exception of one field has a list: use `in`, `pmatch`, `intersects`, \
                         or a string operator with `anyof`, `allof` or `oneof`"
                    ),
                );
            }
        }
        for field in &fields_of {
            let known = filter::parse_operand_prefix(field)
                .filter(|(_, length)| *length == field.len())
                .is_some_and(|(operand, _)| crate::operand::Operand::compile(&operand).is_ok());
            if !known {
                return self.error(
                    Code::Validate,
                    &fields.place,
                    format!("`{field}` of the exception `{name}` is no field"),
                );
            }
        }
        let values = match item.get("values") {
            Some(values) if values.value != Value::Null => {
                self.exception_values(values, single, fields_of.len())?
            }
            _ => Vec::new(),
        };
        Ok(Exception {
            name: name.to_owned(),
            fields: fields_of,
            single,
            comparisons,
            values,
            place: item.place.clone(),
        })
    }

    fn exception_values(&mut self, values: &Node, single: bool, count: usize) -> Fallible<Vec<Vec<Given>>> {
        let Some(items) = values.items() else {
            return self.error(
                Code::YamlValidate,
                &values.place,
                format!("`values` is a list, this is {}", values.kind()),
            );
        };
        let mut all = Vec::with_capacity(items.len());
        for item in items {
            if single {
                match texts_of(item) {
                    Some((texts, true)) => all.push(texts.into_iter().map(Given::One).collect()),
                    Some((texts, false)) => all.push(vec![Given::Many(texts)]),
                    None => {
                        return self.error(
                            Code::YamlValidate,
                            &item.place,
                            format!("a value is a text or number, this is {}", item.kind()),
                        );
                    }
                }
                continue;
            }
            let row = item.items().unwrap_or_default();
            if row.len() != count {
                return self.error(
                    Code::Validate,
                    &item.place,
                    format!("each entry of `values` has a value for each of the {count} fields"),
                );
            }
            let mut alternative = Vec::with_capacity(count);
            for value in row {
                match texts_of(value) {
                    Some((mut texts, true)) => alternative.extend(texts.pop().map(Given::One)),
                    Some((texts, false)) => alternative.push(Given::Many(texts)),
                    None => {
                        return self.error(
                            Code::YamlValidate,
                            &value.place,
                            "a value is a text, a number or a list of them".to_owned(),
                        );
                    }
                }
            }
            all.push(alternative);
        }
        Ok(all)
    }

    fn engine_version(&mut self, node: &Node) -> Fallible {
        let text = node.text().unwrap_or_default();
        let Some(required) = versions::engine(text) else {
            return self.error(
                Code::YamlValidate,
                &node.place,
                format!("`{text}` is no version: use a number or three numbers with dots"),
            );
        };
        if !versions::satisfies(versions::ENGINE, required) {
            let [major, minor, patch] = versions::ENGINE;
            return self.error(
                Code::Validate,
                &node.place,
                format!("the rules need engine version {text}, this is {major}.{minor}.{patch}"),
            );
        }
        Ok(())
    }

    fn plugin_versions(&mut self, node: &Node) -> Fallible {
        let Some(items) = node.items() else {
            return self.error(
                Code::YamlValidate,
                &node.place,
                format!("`required_plugin_versions` is a list, this is {}", node.kind()),
            );
        };
        for item in items {
            let alternatives = item.get("alternatives").and_then(Node::items);
            let all = std::iter::once(item).chain(alternatives.unwrap_or_default());
            let mut satisfied = false;
            let mut wanted = Vec::new();
            for one in all {
                let name = one.get("name").and_then(Node::text);
                let version = one.get("version").and_then(Node::text);
                let (Some(name), Some(version)) = (name, version) else {
                    return self.error(
                        Code::YamlValidate,
                        &one.place,
                        "a required plugin has a `name` and a `version`".to_owned(),
                    );
                };
                let Some(required) = versions::plugin(version) else {
                    return self.error(
                        Code::YamlValidate,
                        &one.place,
                        format!("`{version}` is no version: use three numbers with dots"),
                    );
                };
                wanted.push(format!("{name} {version}"));
                satisfied |= versions::PLUGINS
                    .iter()
                    .any(|(have, version)| *have == name && versions::satisfies(*version, required));
            }
            if !satisfied {
                return self.error(
                    Code::Validate,
                    &item.place,
                    format!("the rules need {}, which is not here", wanted.join(" or ")),
                );
            }
        }
        Ok(())
    }
}

/// The texts of a list, or a text alone (`true`).
fn texts_of(node: &Node) -> Option<(Vec<String>, bool)> {
    if let Some(text) = node.text() {
        return Some((vec![text.to_owned()], true));
    }
    let items = node.items()?;
    let texts = items
        .iter()
        .map(|item| item.text().map(str::to_owned))
        .collect::<Option<_>>()?;
    Some((texts, false))
}

fn is_list_operator(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::In | Operator::Intersects | Operator::PathMatch
    )
}

/// An operator as exceptions write it, with its modifier.
fn comparison_parts(text: &str) -> Option<(Operator, Option<Modifier>)> {
    let mut words = text.split_whitespace();
    let word = words.next()?;
    let word = if word == "==" { "=" } else { word };
    let operator = Operator::ALL
        .iter()
        .find(|operator| operator.text() == word && **operator != Operator::Exists)?;
    let modifier = match words.next() {
        None => None,
        Some(word) => Some(*Modifier::ALL.iter().find(|modifier| modifier.text() == word)?),
    };
    if words.next().is_some() || (modifier.is_some() && is_list_operator(*operator)) {
        return None;
    }
    Some((*operator, modifier))
}

/// A value in a condition: quoted unless it may stand bare or is quoted already.
pub(crate) fn quoted(text: &str) -> String {
    if text.starts_with(['"', '\'']) && text.len() > 1 {
        return text.to_owned();
    }
    filter::write_text(text)
}

impl Exception {
    /// When the exception applies, as a condition; nothing when it has no values.
    pub(crate) fn condition(&self) -> Option<String> {
        if self.values.is_empty() {
            return None;
        }
        let value = |comparison: &str, given: &Given| {
            let list = comparison_parts(comparison)
                .is_some_and(|(operator, modifier)| modifier.is_some() || is_list_operator(operator));
            match given {
                Given::One(text) if list && text.starts_with('(') => text.clone(),
                Given::One(text) if list => format!("({})", quoted(text)),
                Given::One(text) => quoted(text),
                Given::Many(texts) => {
                    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
                    format!("({})", texts.join(", "))
                }
            }
        };
        if self.single {
            let texts: Vec<String> = self
                .values
                .iter()
                .flatten()
                .flat_map(|given| match given {
                    Given::One(text) => vec![quoted(text)],
                    Given::Many(texts) => texts.iter().map(|text| quoted(text)).collect(),
                })
                .collect();
            let field = self.fields.first()?;
            let comparison = self.comparisons.first()?;
            return Some(format!("({field} {comparison} ({}))", texts.join(", ")));
        }
        let alternatives: Vec<String> = self
            .values
            .iter()
            .map(|alternative| {
                let checks: Vec<String> = self
                    .fields
                    .iter()
                    .zip(&self.comparisons)
                    .zip(alternative)
                    .map(|((field, comparison), given)| {
                        format!("{field} {comparison} {}", value(comparison, given))
                    })
                    .collect();
                format!("({})", checks.join(" and "))
            })
            .collect();
        Some(format!("({})", alternatives.join(" or ")))
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }
}

impl Rule {
    /// The condition with the exceptions.
    pub(crate) fn whole_condition(&self) -> Traced {
        let conditions: Vec<(String, &Place)> = self
            .exceptions
            .iter()
            .filter_map(|exception| Some((exception.condition()?, exception.place())))
            .collect();
        if conditions.is_empty() {
            return self.condition.clone();
        }
        let mut whole = Traced::default();
        whole.push_substitute("(", &self.condition, 0);
        whole.push_range(&self.condition, 0, self.condition.text.len());
        whole.push_substitute(")", &self.condition, 0);
        for (condition, place) in conditions {
            whole.push_placed(&format!(" and not {condition}"), place);
        }
        whole
    }
}
