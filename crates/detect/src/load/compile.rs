//! Makes a rule set of lists, macros and rules, and says what is wrong with them.

use super::items::{CONTENT, Items, Macro, Rule};
use super::report::{Code, Finding, Location};
use super::substitute::Lists;
use super::{AppendOutput, LoadOptions};
use crate::filter::{self, CallArgument, Expression, Operand, Right};
use crate::names::Names;
use crate::nearest;
use crate::operand::{CompileError, ErrorKind};
use crate::output::Output;
use crate::program::{Builder, NodeId};
use crate::ruleset::{self, RuleSet};
use crate::yaml::{Place, Traced};
use model::event::{Field, SOURCES};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A rule with more event types than this is said to have no restriction.
const MANY_EVENT_TYPES: usize = 100;

/// A macro that was read.
struct ReadMacro {
    condition: Traced,
    /// What it says, or what is wrong with its text.
    expression: Result<Arc<Expression>, CompileError>,
    /// Its place in the graph, or the macro whose text is wrong and what is wrong with it.
    node: Option<Result<NodeId, (String, CompileError)>>,
    index: usize,
    sees: usize,
}

struct Compiler {
    builder: Builder,
    lists: Lists,
    macros: HashMap<String, ReadMacro>,
    used_macros: HashSet<String>,
    findings: Vec<Finding>,
}

/// Makes the rule set. Warnings are only about these files; errors may be about others.
pub(crate) fn compile(
    items: &Items,
    options: &LoadOptions,
    append: &[(AppendOutput, Output)],
    files: &HashSet<&str>,
) -> (RuleSet, Vec<Finding>) {
    let names = Arc::new(Names::default());
    let mut compiler = Compiler {
        builder: Builder::new(Arc::clone(&names)),
        lists: Lists::new(&items.lists),
        macros: HashMap::new(),
        used_macros: HashSet::new(),
        findings: Vec::new(),
    };
    for item in &items.macros {
        compiler.read_macro(item);
    }
    for item in &items.macros {
        compiler.resolve_macro(&item.name);
        compiler.report_macro(item);
    }
    let mut rules = Vec::new();
    for rule in &items.rules {
        if let Some(rule) = compiler.rule(rule, options, append, files) {
            rules.push(rule);
        }
    }
    for item in &items.macros {
        if !compiler.used_macros.contains(&item.name) && files.contains(item.place.source.name.as_str()) {
            compiler.warn(
                Code::UnusedMacro,
                "macro",
                &item.name,
                &item.place,
                format!("no rule or macro uses the macro `{}`", item.name),
            );
        }
    }
    for item in &items.lists {
        if !compiler.lists.is_used(&item.name) && files.contains(item.place.source.name.as_str()) {
            compiler.warn(
                Code::UnusedList,
                "list",
                &item.name,
                &item.place,
                format!("no rule, macro or list uses the list `{}`", item.name),
            );
        }
    }
    let findings = compiler.findings;
    let macros = compiler
        .macros
        .into_iter()
        .filter_map(|(name, read)| Some((name, read.expression.ok()?)))
        .collect();
    let rules = ruleset::build(compiler.builder, rules, macros, names, options.all_matches);
    (rules, findings)
}

fn locations(kind: &'static str, name: &str, place: &Place) -> Vec<Location> {
    vec![
        Location::new(CONTENT, &place.source.name, place),
        Location::new(kind, name, place),
    ]
}

impl Compiler {
    fn warn(&mut self, code: Code, kind: &'static str, name: &str, place: &Place, message: String) {
        self.findings.push(Finding {
            code,
            message,
            locations: locations(kind, name, place),
        });
    }

    /// A finding within a text of an item.
    fn within(
        &mut self,
        code: Code,
        item: (&'static str, &str, &Place),
        part: &'static str,
        text: &Traced,
        error: &CompileError,
    ) {
        let (kind, name, place) = item;
        let mut locations = locations(kind, name, place);
        if let Some(place) = text.place(error.at) {
            locations.push(Location::new(part, "", &place));
        }
        self.findings.push(Finding {
            code,
            message: error.message.clone(),
            locations,
        });
    }

    fn substitute(&mut self, text: &Traced) -> Result<Traced, CompileError> {
        self.lists.substitute(text).map_err(|error| {
            CompileError::other(
                error.at,
                format!(
                    "the condition is longer than {} bytes with the list `{}` put in",
                    filter::LARGEST_CONDITION,
                    error.list
                ),
            )
        })
    }

    fn read_macro(&mut self, item: &Macro) {
        let (condition, expression) = match self.substitute(&item.condition) {
            Ok(condition) => {
                let expression = filter::parse(&condition.text)
                    .map(Arc::new)
                    .map_err(|error| CompileError::other(error.at, error.message));
                (condition, expression)
            }
            Err(error) => (item.condition.clone(), Err(error)),
        };
        self.macros.insert(
            item.name.clone(),
            ReadMacro {
                condition,
                expression,
                node: None,
                index: item.index,
                sees: item.sees,
            },
        );
    }

    /// Puts a macro and all that it names into the graph, without recursion: macros may stand on thousands of others.
    fn resolve_macro(&mut self, name: &str) {
        let mut open = vec![name.to_owned()];
        let mut entered: HashSet<String> = HashSet::new();
        while let Some(name) = open.last().cloned() {
            let Some(read) = self.macros.get(&name) else {
                open.pop();
                continue;
            };
            if read.node.is_some() {
                open.pop();
                continue;
            }
            let expression = match &read.expression {
                Ok(expression) => Arc::clone(expression),
                Err(error) => {
                    let failed = (name.clone(), error.clone());
                    self.settle(&name, Err(failed));
                    open.pop();
                    continue;
                }
            };
            let sees = read.sees;
            let names = macro_names(&expression);
            if entered.insert(name.clone()) {
                let missing: Vec<String> = names
                    .iter()
                    .map(|(name, _)| (*name).to_owned())
                    .filter(|named| {
                        self.macros
                            .get(named)
                            .is_some_and(|other| other.index < sees && other.node.is_none())
                    })
                    .collect();
                let looped = missing.iter().find(|missing| entered.contains(*missing)).cloned();
                if let Some(looped) = looped {
                    let at = names
                        .iter()
                        .find(|(name, _)| *name == looped)
                        .map_or(0, |(_, at)| *at);
                    let error = CompileError::other(at, format!("the macro `{looped}` stands on itself"));
                    self.settle(&name, Err((name.clone(), error)));
                    open.pop();
                    continue;
                }
                if !missing.is_empty() {
                    open.extend(missing);
                    continue;
                }
            }
            let node = self.add(&name, &expression, Some(sees));
            self.settle(&name, node);
            open.pop();
        }
    }

    fn settle(&mut self, name: &str, node: Result<NodeId, (String, CompileError)>) {
        if let Some(read) = self.macros.get_mut(name) {
            read.node = Some(node);
        }
    }

    /// Puts a condition into the graph. An error names the macro whose text is wrong, or nothing for the condition itself.
    fn add(
        &mut self,
        owner: &str,
        expression: &Expression,
        sees: Option<usize>,
    ) -> Result<NodeId, (String, CompileError)> {
        let macros = &self.macros;
        let used = &mut self.used_macros;
        let mut inner: Option<(String, CompileError)> = None;
        let mut resolve = |name: &str, at: usize| -> Result<NodeId, CompileError> {
            let visible = |read: &ReadMacro| sees.is_none_or(|sees| read.index < sees);
            let found = macros.get(name).filter(|read| visible(read));
            let Some(read) = found else {
                let later = if macros.contains_key(name) {
                    "; it is defined later, and macros see only what is defined before them"
                } else {
                    ""
                };
                let near = nearest(name, macros.keys().map(String::as_str))
                    .filter(|_| later.is_empty())
                    .map(|near| format!("; did you mean `{near}`?"))
                    .unwrap_or_default();
                return Err(CompileError::other(
                    at,
                    format!("no macro is called `{name}`{later}{near}"),
                ));
            };
            used.insert(name.to_owned());
            match &read.node {
                Some(Ok(node)) => Ok(*node),
                Some(Err(error)) => {
                    inner = Some(error.clone());
                    Err(error.1.clone())
                }
                None => Err(CompileError::other(
                    at,
                    format!("the macro `{name}` stands on itself"),
                )),
            }
        };
        let result = self.builder.add(expression, &mut resolve);
        result.map_err(|error| inner.unwrap_or_else(|| (owner.to_owned(), error)))
    }

    /// Says what is wrong with a macro, as far as it is wrong without a rule that uses it.
    fn report_macro(&mut self, item: &Macro) {
        let Some(read) = self.macros.get(&item.name) else {
            return;
        };
        if let Some(Err((owner, error))) = &read.node
            && *owner == item.name
            && error.kind == ErrorKind::Other
        {
            let error = error.clone();
            let text = read.condition.clone();
            let place = ("macro", item.name.as_str(), &item.place);
            self.within(
                Code::CompileConditionError,
                place,
                "macro condition",
                &text,
                &error,
            );
        }
    }

    fn rule(
        &mut self,
        rule: &Rule,
        options: &LoadOptions,
        append: &[(AppendOutput, Output)],
        files: &HashSet<&str>,
    ) -> Option<ruleset::Candidate> {
        let item = ("rule", rule.name.as_str(), &rule.place);
        let here = files.contains(rule.place.source.name.as_str());
        if !SOURCES.contains(&rule.source.as_str()) {
            if here {
                let near = nearest(&rule.source, SOURCES.iter().copied())
                    .map(|near| format!("; did you mean `{near}`?"))
                    .unwrap_or_default();
                self.warn(
                    Code::UnknownSource,
                    "rule",
                    &rule.name,
                    &rule.place,
                    format!(
                        "no event source is called `{}`, so the rule is left out{near}",
                        rule.source
                    ),
                );
            }
            return None;
        }
        let whole = rule.whole_condition();
        let condition = match self.substitute(&whole) {
            Ok(condition) => condition,
            Err(error) => {
                self.condition_error(rule, &whole, &error, here);
                return None;
            }
        };
        let expression = match filter::parse(&condition.text) {
            Ok(expression) => Arc::new(expression),
            Err(error) => {
                let error = CompileError::other(error.at, error.message);
                self.condition_error(rule, &condition, &error, here);
                return None;
            }
        };
        let root = match self.add("", &expression, None) {
            Ok(root) => root,
            Err((owner, error)) if owner.is_empty() => {
                self.condition_error(rule, &condition, &error, here);
                return None;
            }
            Err((owner, error)) => {
                // Errors in the text of macros are said there; unknown names matter with the rule that needs them.
                if error.kind != ErrorKind::Other {
                    let text = self
                        .macros
                        .get(&owner)
                        .map(|read| read.condition.clone())
                        .unwrap_or_default();
                    self.condition_error(rule, &text, &error, here);
                }
                return None;
            }
        };
        if let Err((text, error)) = self.check_fields(rule, &condition, &expression, here) {
            self.condition_error(rule, &text, &error, here);
            return None;
        }
        let bits = self.builder.possible_types(root);
        let count: u32 = bits.iter().map(|word| word.count_ones()).sum();
        let everything = count as usize > MANY_EVENT_TYPES;
        if everything && rule.warn_event_types && rule.source == "syscall" && here {
            self.warn(
                Code::NoEventType,
                "rule",
                &rule.name,
                &rule.place,
                format!("the rule asks about {count} event types, which costs much: name those that are meant with `evt.type`"),
            );
        }
        let mut output = match self.output(rule) {
            Ok(output) => output,
            Err(error) => {
                let unknown = error.kind != ErrorKind::Other;
                let code = if unknown && rule.skip_if_unknown {
                    Code::UnknownFilter
                } else {
                    Code::CompileOutput
                };
                if here || code.is_error() {
                    self.within(code, item, "rule output", &rule.output, &error);
                }
                return None;
            }
        };
        for (what, format) in append {
            let meant = what.source.as_ref().is_none_or(|source| *source == rule.source)
                && what.rule.as_ref().is_none_or(|name| *name == rule.name)
                && what.tags.is_subset(&rule.tags);
            if meant {
                output.append(format);
            }
        }
        if rule.source == "syscall" && !options.no_suggested_output {
            output.append_suggested();
        }
        let chosen = options.tags.is_empty() || !options.tags.is_disjoint(&rule.tags);
        let enabled = rule.enabled
            && chosen
            && options.without_tags.is_disjoint(&rule.tags)
            && options
                .minimum_priority
                .is_none_or(|least| rule.priority <= least);
        Some(ruleset::Candidate {
            rule: ruleset::Rule {
                name: rule.name.clone(),
                description: rule.description.trim().to_owned(),
                source: rule.source.clone(),
                priority: rule.priority,
                tags: rule.tags.iter().cloned().collect(),
                enabled,
                file: rule.place.source.name.clone(),
                line: rule.place.position.line + 1,
                format: rule.output.text.trim().to_owned(),
                capture: rule.capture,
                capture_duration: rule.capture_duration,
                types: bits,
                expression,
                output,
            },
            root,
        })
    }

    fn condition_error(&mut self, rule: &Rule, text: &Traced, error: &CompileError, here: bool) {
        let unknown = error.kind != ErrorKind::Other;
        let code = if unknown && rule.skip_if_unknown {
            Code::UnknownFilter
        } else {
            Code::CompileConditionError
        };
        if here || code.is_error() {
            let item = ("rule", rule.name.as_str(), &rule.place);
            self.within(code, item, "condition expression", text, error);
        }
    }

    fn output(&mut self, rule: &Rule) -> Result<Output, CompileError> {
        let output = Output::compile(rule.output.text.trim_end())?;
        let mut wrong = None;
        output.visit_fields(&mut |field, _| {
            wrong = wrong.or_else(|| foreign(field, &rule.source).then_some(field));
        });
        match wrong {
            None => Ok(output),
            Some(field) => Err(foreign_error(field, &rule.source, 0)),
        }
    }

    /// Looks at the fields and texts of a condition and of the macros that it stands on.
    fn check_fields(
        &mut self,
        rule: &Rule,
        condition: &Traced,
        expression: &Arc<Expression>,
        here: bool,
    ) -> Result<(), (Traced, CompileError)> {
        let mut open: Vec<(&Expression, Option<&str>)> = vec![(expression, None)];
        let mut seen: HashSet<&str> = HashSet::new();
        let mut findings: Vec<(Code, Option<String>, CompileError)> = Vec::new();
        while let Some((expression, owner)) = open.pop() {
            match expression {
                Expression::And(parts) | Expression::Or(parts) => {
                    open.extend(parts.iter().rev().map(|part| (part, owner)));
                }
                Expression::Not(inner) => open.push((inner, owner)),
                Expression::Macro { name, .. } => {
                    if seen.insert(name)
                        && let Some(read) = self.macros.get(name)
                        && let Ok(expression) = &read.expression
                    {
                        open.push((expression, Some(name)));
                    }
                }
                Expression::Check(check) => {
                    let mut fields = Vec::new();
                    named_fields(&check.left, &mut fields);
                    if let Right::Operand(right) = &check.right {
                        named_fields(right, &mut fields);
                    }
                    for (field, at) in fields {
                        if foreign(field, &rule.source) {
                            let text = owner
                                .and_then(|owner| self.macros.get(owner))
                                .map_or(condition, |read| &read.condition);
                            return Err((text.clone(), foreign_error(field, &rule.source, at)));
                        }
                        let info = field.info();
                        if info.sources.is_empty() {
                            findings.push((
                                Code::UnsuppliedField,
                                owner.map(str::to_owned),
                                CompileError::other(
                                    at,
                                    format!("no event has `{}`, so this is never true", info.name),
                                ),
                            ));
                        }
                        if field == Field::EvtDir {
                            findings.push((
                                Code::DeprecatedItem,
                                owner.map(str::to_owned),
                                CompileError::other(
                                    at,
                                    "`evt.dir` is deprecated: events are system calls that returned, so it is always `<`".to_owned(),
                                ),
                            ));
                        }
                        let unsafe_field = info.name.starts_with("ka.") || info.name.starts_with("jevt.");
                        if unsafe_field && compares_with_na(&check.right) {
                            findings.push((
                                Code::UnsafeNaCheck,
                                owner.map(str::to_owned),
                                CompileError::other(
                                    at,
                                    format!(
                                        "a field without a value is never equal to `<NA>`: ask `not {} exists`",
                                        info.name
                                    ),
                                ),
                            ));
                        }
                    }
                }
            }
        }
        if here {
            for (code, owner, error) in findings {
                let read = owner.and_then(|owner| self.macros.get(&owner));
                let text = read.map_or(condition, |read| &read.condition).clone();
                let item = ("rule", rule.name.as_str(), &rule.place);
                self.within(code, item, "condition expression", &text, &error);
            }
        }
        Ok(())
    }
}

/// Whether events of a source never have a field, because it is of another source. The two about plugins may stand in rules of
/// every source, as in Falco; events of the kernel have no value for them.
fn foreign(field: Field, source: &str) -> bool {
    let sources = field.info().sources;
    !sources.is_empty()
        && !sources.contains(&source)
        && !matches!(field, Field::EvtPluginname | Field::EvtPlugininfo)
}

fn foreign_error(field: Field, source: &str, at: usize) -> CompileError {
    let info = field.info();
    CompileError {
        kind: ErrorKind::UnknownField,
        message: format!(
            "events of the source `{source}` have no `{}`, which is of {}",
            info.name,
            info.sources.join(", ")
        ),
        at,
    }
}

fn compares_with_na(right: &Right) -> bool {
    match right {
        Right::Text(text) => text == "<NA>",
        Right::List(items) => items.iter().any(|item| item == "<NA>"),
        _ => false,
    }
}

fn named_fields(operand: &Operand, fields: &mut Vec<(Field, usize)>) {
    match operand {
        Operand::Field { name, at, .. } => {
            if let Some((field, _)) = Field::with_dotted_argument(name) {
                fields.push((field, *at));
            }
        }
        Operand::Call { arguments, .. } => {
            for argument in arguments {
                argument_fields(argument, fields);
            }
        }
    }
}

fn argument_fields(argument: &CallArgument, fields: &mut Vec<(Field, usize)>) {
    match argument {
        CallArgument::Operand(operand) => named_fields(operand, fields),
        CallArgument::List(list) => {
            for one in list {
                argument_fields(one, fields);
            }
        }
        CallArgument::Text(_) | CallArgument::Number(_) => {}
    }
}

/// The macros that a condition names, and where.
fn macro_names(expression: &Expression) -> Vec<(&str, usize)> {
    let mut names = Vec::new();
    let mut open = vec![expression];
    while let Some(expression) = open.pop() {
        match expression {
            Expression::And(parts) | Expression::Or(parts) => open.extend(parts),
            Expression::Not(inner) => open.push(inner),
            Expression::Macro { name, at } => names.push((name.as_str(), *at)),
            Expression::Check(_) => {}
        }
    }
    names
}
