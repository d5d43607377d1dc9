//! `hullward rules`: checks, lists and explains detection rules; testing and coverage have files of their own.

use crate::arguments::{RuleSource, Rules, RulesCommand, TextOrJson};
use crate::console::Console;
use crate::settings::distance;
use crate::{Failure, Outcome};
use anyhow::{Context, anyhow};
use artifact::files;
use detect::rules::OwnRule;
use detect::{LoadOptions, LoadResult, Loader, Rule, RuleSet, results_to_json};
use model::event::EventType;
use model::path::printable;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Largest rule file in bytes.
const RULES_LIMIT: u64 = 64 << 20;

/// Event types of a rule that are named; more are counted.
const SHOWN_TYPES: usize = 6;

/// Runs the command.
///
/// # Errors
/// When a file cannot be read, or no rule has the name.
pub(crate) fn run(options: &Rules, console: &Console) -> Result<Outcome, Failure> {
    match &options.command {
        RulesCommand::Check { files, format } => check(files, *format),
        RulesCommand::List { source, format } => list(source, *format, console),
        RulesCommand::Explain { name, source, format } => explain(name, source, *format, console),
        RulesCommand::Test { examples, source } => super::rules_test::run(examples, source, console),
        RulesCommand::Coverage { source, format } => super::rules_coverage::run(source, *format, console),
    }
}

/// The rule files of a path: itself, or the YAML files of a folder in order of their names. Links count: a mounted ConfigMap
/// is a folder of links.
fn rule_files(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else {
        return vec![path.to_owned()];
    };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.is_file()
                && path
                    .extension()
                    .is_some_and(|extension| extension == "yaml" || extension == "yml")
        })
        .collect();
    found.sort();
    found
}

/// Adds rule files to a loader, one after the other.
///
/// # Errors
/// When a file cannot be read, or a folder holds none.
fn add_files(loader: &mut Loader, paths: &[PathBuf]) -> Result<Vec<LoadResult>, Failure> {
    let mut results = Vec::new();
    for path in paths {
        let files = rule_files(path);
        if files.is_empty() {
            return Err(
                Failure::unreadable(anyhow!("`{}` holds no rule file", path.display()))
                    .hint("rule files end in .yaml or .yml"),
            );
        }
        for file in files {
            let content = files::read(&file, RULES_LIMIT)?;
            results.push(loader.add(&file.display().to_string(), &content));
        }
    }
    Ok(results)
}

/// The rules that options ask for: those of files, or Hullward's own.
///
/// # Errors
/// When a file cannot be read or is wrong.
pub(crate) fn load(source: &RuleSource, console: &Console) -> Result<RuleSet, Failure> {
    load_with(source, LoadOptions::default(), console)
}

/// The rules that options ask for, with more said of how they run.
///
/// # Errors
/// When a file cannot be read or is wrong.
pub(crate) fn load_with(
    source: &RuleSource,
    options: LoadOptions,
    console: &Console,
) -> Result<RuleSet, Failure> {
    let options = LoadOptions {
        minimum_priority: source.min_priority.or(options.minimum_priority),
        tags: source.tag.iter().cloned().chain(options.tags).collect(),
        without_tags: source
            .without_tag
            .iter()
            .cloned()
            .chain(options.without_tags)
            .collect(),
        ..options
    };
    let mut loader = Loader::new(options).map_err(Failure::usage)?;
    let mut results = if source.rules.is_empty() || source.own_rules {
        loader.add_own()
    } else {
        Vec::new()
    };
    results.extend(add_files(&mut loader, &source.rules)?);
    let warnings: usize = results.iter().map(|result| result.warnings.len()).sum();
    if warnings > 0 {
        console.note(&format!(
            "{} in the rules; `hullward rules check` tells them",
            count(warnings, "warning")
        ));
    }
    let wrong: Vec<String> = results
        .iter()
        .flat_map(|result| &result.errors)
        .map(detect::Finding::to_line)
        .collect();
    if let Some(first) = wrong.first() {
        return Err(
            Failure::unreadable(anyhow!("the rules cannot be loaded: {first}")).hint(format!(
                "`hullward rules check` shows {}",
                count(wrong.len(), "error")
            )),
        );
    }
    Ok(loader.finish())
}

/// Text whose lines are safe to print.
fn printable_lines(text: &str) -> String {
    text.lines()
        .map(|line| format!("{}\n", printable(line)))
        .collect()
}

pub(super) fn count(number: usize, what: &str) -> String {
    match number {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}

fn check(paths: &[PathBuf], format: TextOrJson) -> Result<Outcome, Failure> {
    let mut loader = Loader::new(LoadOptions::default()).map_err(Failure::usage)?;
    let results = add_files(&mut loader, paths)?;
    let text = match format {
        TextOrJson::Json => json(&results_to_json(&results))?,
        TextOrJson::Text => {
            let rules = loader.finish();
            let mut text = String::new();
            for result in &results {
                for finding in result.errors.iter().chain(&result.warnings) {
                    text.push_str(&printable_lines(&finding.to_text()));
                }
                let errors = count(result.errors.len(), "error");
                let warnings = count(result.warnings.len(), "warning");
                let name = printable(&result.name);
                if result.successful() {
                    let here = rules
                        .rules()
                        .iter()
                        .filter(|rule| rule.file == result.name)
                        .count();
                    let here = count(here, "rule");
                    text.push_str(&format!("{name}: {here}, {errors}, {warnings}\n"));
                } else {
                    text.push_str(&format!("{name}: {errors}, {warnings}; nothing of it is taken\n"));
                }
            }
            text
        }
    };
    super::print(&text)?;
    if results.iter().all(LoadResult::successful) {
        Ok(Outcome::Done)
    } else {
        Ok(Outcome::GateFailed)
    }
}

fn json(value: &impl Serialize) -> Result<String, Failure> {
    crate::console::json(value)
        .context("the rules could not be written")
        .map_err(Failure::internal)
}

/// A rule as JSON.
#[derive(Serialize)]
struct RuleObject<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'static str>,
    description: &'a str,
    source: &'a str,
    priority: &'static str,
    enabled: bool,
    tags: &'a [String],
    techniques: Vec<&'a str>,
    file: &'a str,
    line: usize,
    /// Absent when the rule asks about more than a hundred.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_types: Option<Vec<&'static str>>,
    output: &'a str,
    output_fields: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<String>,
}

impl<'a> RuleObject<'a> {
    fn of(rule: &'a Rule) -> Self {
        let types = rule.event_types();
        Self {
            name: &rule.name,
            id: own_rule(rule).map(|own| own.name),
            description: &rule.description,
            source: &rule.source,
            priority: rule.priority.name(),
            enabled: rule.enabled,
            tags: &rule.tags,
            techniques: rule.techniques().collect(),
            file: &rule.file,
            line: rule.line,
            event_types: (types.len() <= 100).then(|| types.into_iter().map(EventType::name).collect()),
            output: &rule.format,
            output_fields: rule.output_fields(),
            condition: None,
        }
    }
}

/// Which of Hullward's own rules it is.
fn own_rule(rule: &Rule) -> Option<&'static OwnRule> {
    let name = rule.file.strip_prefix("hullward/")?.strip_suffix(".yaml")?;
    detect::rules::named(name)
}

/// The event types of a rule in a few words.
fn types_in_words(rule: &Rule) -> String {
    let types = rule.event_types();
    if types.len() > 100 {
        return "all".to_owned();
    }
    let names: Vec<&str> = types.iter().take(SHOWN_TYPES).map(|kind| kind.name()).collect();
    match types.len().checked_sub(SHOWN_TYPES) {
        Some(more) if more > 0 => format!("{} and {more} more", names.join(", ")),
        _ if names.is_empty() => "none".to_owned(),
        _ => names.join(", "),
    }
}

fn list(source: &RuleSource, format: TextOrJson, console: &Console) -> Result<Outcome, Failure> {
    let rules = load(source, console)?;
    let text = match format {
        TextOrJson::Json => {
            let objects: Vec<RuleObject<'_>> = rules.rules().iter().map(RuleObject::of).collect();
            json(&objects)?
        }
        TextOrJson::Text => {
            let mut rows = vec![["PRIORITY", "STATE", "SOURCE", "RULE", "EVENTS", "TAGS"].map(str::to_owned)];
            for rule in rules.rules() {
                rows.push([
                    rule.priority.name().to_owned(),
                    if rule.enabled { "on" } else { "off" }.to_owned(),
                    printable(&rule.source).into_owned(),
                    printable(&rule.name).into_owned(),
                    types_in_words(rule),
                    printable(&rule.tags.join(" ")).into_owned(),
                ]);
            }
            table(&rows)
        }
    };
    super::print(&text)?;
    Ok(Outcome::Done)
}

/// Columns as wide as their widest cell, the last one open.
pub(super) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn explain(
    name: &str,
    source: &RuleSource,
    format: TextOrJson,
    console: &Console,
) -> Result<Outcome, Failure> {
    let rules = load(source, console)?;
    let found = rules.rules().iter().find(|rule| {
        rule.name.eq_ignore_ascii_case(name) || own_rule(rule).is_some_and(|own| own.name == name)
    });
    let Some(rule) = found else {
        return Err(unknown(name, &rules));
    };
    let condition = rules.expanded(rule).pretty();
    let text = match format {
        TextOrJson::Json => {
            let mut object = RuleObject::of(rule);
            object.condition = Some(condition);
            json(&object)?
        }
        TextOrJson::Text => explanation(rule, &condition),
    };
    super::print(&text)?;
    Ok(Outcome::Done)
}

fn unknown(name: &str, rules: &RuleSet) -> Failure {
    let failure = Failure::unreadable(anyhow!("no rule is called `{name}`"));
    let nearest = rules
        .rules()
        .iter()
        .flat_map(|rule| {
            [Some(rule.name.as_str()), own_rule(rule).map(|own| own.name)]
                .into_iter()
                .flatten()
        })
        .min_by_key(|known| distance(name, known));
    match nearest {
        Some(nearest) if distance(name, nearest) <= 3 => {
            failure.hint(format!("the nearest name is `{nearest}`"))
        }
        _ => failure.hint("`hullward rules list` tells all names"),
    }
}

fn explanation(rule: &Rule, condition: &str) -> String {
    let mut text = format!("{}\n", rule.name);
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!("  {name:<10} {value}\n"));
        }
    };
    let own = own_rule(rule);
    line("id", own.map_or("", |own| own.name));
    line("priority", rule.priority.name());
    line("state", if rule.enabled { "on" } else { "off" });
    line("source", &rule.source);
    line("events", &types_in_words(rule));
    line("tags", &rule.tags.join(" "));
    let techniques: Vec<&str> = rule.techniques().collect();
    line("ATT&CK", &techniques.join(" "));
    line("file", &format!("{}:{}", rule.file, rule.line));
    let mut section = |title: &str, body: &str| {
        if !body.is_empty() {
            text.push_str(&format!("\n{title}\n"));
            for line in body.lines() {
                text.push_str(&format!("  {line}\n"));
            }
        }
    };
    section("What it finds", &rule.description);
    if let Some(own) = own {
        let guidance = own.guidance();
        section("Why it matters", &guidance.why);
        section("Respond", &guidance.respond);
        section("Read more", &guidance.references.join("\n"));
    }
    section("Condition, with lists and macros put in", condition);
    section("Output", &rule.format);
    section("Fields of the output", &rule.output_fields().join(" "));
    printable_lines(&text)
}
