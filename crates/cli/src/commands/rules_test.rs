//! `hullward rules test`: asks rules about events that were written by hand, and says which rules do what their examples say.
//!
//! An example is a file of samples in a folder that is called like its rule: `hit-….yaml` when the rule must find the last
//! event, `miss-….yaml` when it must find none of them.

use super::rules;
use crate::arguments::RuleSource;
use crate::console::Console;
use crate::{Failure, Outcome};
use anyhow::anyhow;
use artifact::files;
use detect::{Evaluator, LoadOptions, RuleId, RuleSet};
use model::path::printable;
use sensor::sample;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest file of samples in bytes.
const SAMPLES_LIMIT: u64 = 4 << 20;

/// How deep folders of examples are looked through.
const DEEPEST: usize = 4;

/// Runs the command.
///
/// # Errors
/// When rules or examples cannot be read, or there are no examples.
pub(crate) fn run(paths: &[PathBuf], source: &RuleSource, console: &Console) -> Result<Outcome, Failure> {
    // Rules that come later must not be hidden by those before.
    let options = LoadOptions {
        all_matches: true,
        ..LoadOptions::default()
    };
    let rules = Arc::new(rules::load_with(source, options, console)?);
    let examples = if paths.is_empty() {
        own_examples(&rules)
    } else {
        examples_of(paths)?
    };
    if examples.is_empty() {
        return Err(
            Failure::unreadable(anyhow!("there is no example of these rules")).hint(
                "an example is a file hit-NAME.yaml or miss-NAME.yaml in a folder that is called like its rule",
            ),
        );
    }
    let mut evaluator = Evaluator::new(Arc::clone(&rules));
    let mut table: BTreeMap<String, Line> = BTreeMap::new();
    let mut failures = Vec::new();
    for example in &examples {
        let line = table.entry(example.rule.clone()).or_default();
        match judge(example, &rules, &mut evaluator) {
            Ok(()) if example.wants_hit() => line.hits += 1,
            Ok(()) => line.misses += 1,
            Err(reason) => {
                line.failed += 1;
                failures.push(format!("{}: {reason}", example.place));
            }
        }
    }
    super::print(&report(&table, &failures))?;
    Ok(if failures.is_empty() {
        Outcome::Done
    } else {
        Outcome::GateFailed
    })
}

/// Events, and what one rule must make of them.
struct Example {
    /// The rule's name as a file name has it.
    rule: String,
    /// The case, `hit-…` or `miss-…`.
    case: String,
    /// Where it stands, for messages.
    place: String,
    /// The samples.
    text: String,
}

impl Example {
    fn wants_hit(&self) -> bool {
        self.case.starts_with("hit-")
    }
}

/// What became of a rule's examples.
#[derive(Default)]
struct Line {
    hits: usize,
    misses: usize,
    failed: usize,
}

/// The examples of those of Hullward's own rules that run.
fn own_examples(rules: &RuleSet) -> Vec<Example> {
    let running = detect::rules::ALL
        .iter()
        .filter(|own| identify(own.name, rules).is_some_and(|id| is_running(id, rules)));
    running
        .flat_map(|own| {
            own.examples.iter().map(|example| Example {
                rule: own.name.to_owned(),
                case: example.name.to_owned(),
                place: format!("{}/{}", own.name, example.name),
                text: example.text.to_owned(),
            })
        })
        .collect()
}

fn is_running(id: RuleId, rules: &RuleSet) -> bool {
    rules.rule(id).is_some_and(|rule| rule.enabled)
}

/// The examples of files and folders.
///
/// # Errors
/// When a file cannot be read, or is not called as examples are.
fn examples_of(paths: &[PathBuf]) -> Result<Vec<Example>, Failure> {
    let mut examples = Vec::new();
    for path in paths {
        if path.is_dir() {
            for listed in files::list(path, DEEPEST) {
                if let Some(example) = example_of(&listed.path)? {
                    examples.push(example);
                }
            }
        } else {
            examples.push(example_of(path)?.ok_or_else(|| {
                Failure::usage(anyhow!("`{}` is not called as examples are", path.display()))
                    .hint("use hit-NAME.yaml or miss-NAME.yaml in a folder that is called like its rule")
            })?);
        }
    }
    Ok(examples)
}

fn example_of(path: &Path) -> Result<Option<Example>, Failure> {
    let case = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let is_yaml = path
        .extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml");
    let Some(case) = case.filter(|case| is_yaml && (case.starts_with("hit-") || case.starts_with("miss-")))
    else {
        return Ok(None);
    };
    // A name such as `hit-x.yaml` alone lies in the working folder, whose name is asked for.
    let folder = std::path::absolute(path).ok().and_then(|path| {
        let folder = path.parent()?.file_name()?;
        Some(folder.to_string_lossy().into_owned())
    });
    let bytes = files::read(path, SAMPLES_LIMIT)?;
    Ok(Some(Example {
        rule: folder.unwrap_or_default(),
        case,
        place: path.display().to_string(),
        text: String::from_utf8_lossy(&bytes).into_owned(),
    }))
}

/// The rule that a folder is called after: one of Hullward's own by its file, any by its name in small letters and hyphens.
fn identify(folder: &str, rules: &RuleSet) -> Option<RuleId> {
    let title = detect::rules::named(folder).map(|own| own.guidance().title);
    let found = rules.rules().iter().position(|rule| {
        title.as_ref().is_some_and(|title| *title == rule.name) || slug(&rule.name) == folder
    });
    found.and_then(|index| u32::try_from(index).ok()).map(RuleId)
}

/// A rule's name as the name of a folder: `Terminal shell in container` is `terminal-shell-in-container`.
fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_alphanumeric() {
            slug.extend(character.to_lowercase());
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_matches('-').to_owned()
}

/// Asks the rules about the events of an example; the error says what is wrong.
fn judge(example: &Example, rules: &RuleSet, evaluator: &mut Evaluator) -> Result<(), String> {
    let Some(wanted) = identify(&example.rule, rules) else {
        return Err(format!("no rule is called `{}`", example.rule));
    };
    if !is_running(wanted, rules) {
        return Err("the rule is off".to_owned());
    }
    let samples = sample::parse(&example.text).map_err(|error| error.to_string())?;
    let events = sample::events(&samples).map_err(|error| error.to_string())?;
    let Some(last) = events.len().checked_sub(1) else {
        return Err("it has no events".to_owned());
    };
    let mut others = Vec::new();
    for (number, event) in events.iter().enumerate() {
        let mut fired = Vec::new();
        evaluator.evaluate(event, |id| fired.push(id));
        let found = fired.contains(&wanted);
        if found && !example.wants_hit() {
            return Err(format!("event {} is found and must not be", number + 1));
        }
        if number == last {
            if found {
                return Ok(());
            }
            let names = fired.iter().filter_map(|id| rules.rule(*id));
            others.extend(names.map(|rule| format!("`{}`", rule.name)));
        }
    }
    if !example.wants_hit() {
        return Ok(());
    }
    Err(if others.is_empty() {
        "the last event is not found".to_owned()
    } else {
        format!("the last event is not found; it is by {}", others.join(", "))
    })
}

fn report(table: &BTreeMap<String, Line>, failures: &[String]) -> String {
    let mut rows = vec![["RULE", "HIT", "MISS", "RESULT"].map(str::to_owned)];
    let (mut passed, mut failed) = (0, 0);
    for (rule, line) in table {
        passed += line.hits + line.misses;
        failed += line.failed;
        rows.push([
            printable(rule).into_owned(),
            line.hits.to_string(),
            line.misses.to_string(),
            match line.failed {
                0 => "ok".to_owned(),
                failed => format!("{failed} failed"),
            },
        ]);
    }
    let mut text = rules::table(&rows);
    if !failures.is_empty() {
        text.push('\n');
    }
    for failure in failures {
        text.push_str(&format!("{}\n", printable(failure)));
    }
    text.push_str(&format!(
        "\n{} of {} did as they say, {failed} did not\n",
        rules::count(passed, "example"),
        rules::count(table.len(), "rule")
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn names_of_rules_become_names_of_folders() {
        for (name, folder) in [
            ("Terminal shell in container", "terminal-shell-in-container"),
            (
                "Backdoored library (CVE-2024-3094)",
                "backdoored-library-cve-2024-3094",
            ),
            ("  Netcat/Socat  ", "netcat-socat"),
            ("io_uring", "io-uring"),
            ("", ""),
        ] {
            assert_eq!(slug(name), folder);
        }
    }
}
