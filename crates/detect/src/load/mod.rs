//! Loads rule files as Falco does, one after the other: later files change what earlier ones define.

mod compile;
mod items;
mod report;
mod substitute;
mod versions;

pub use report::{Code, Finding, LoadResult, Location, results_to_json};

use crate::output::Output;
use crate::rules;
use crate::ruleset::RuleSet;
use items::Items;
use model::event::Priority;
use std::collections::{BTreeSet, HashSet};

/// What is taken of the rules, and what is added to their outputs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// Rules that are less pressing are left out; all are taken without it.
    pub minimum_priority: Option<Priority>,
    /// When not empty, only rules with one of these tags run.
    pub tags: BTreeSet<String>,
    /// Rules with one of these tags do not run.
    pub without_tags: BTreeSet<String>,
    /// Fire every rule that matches an event, not the first alone.
    pub all_matches: bool,
    /// Leave out the container and pod fields that are appended to every output over system calls.
    pub no_suggested_output: bool,
    /// Formats that are appended to outputs.
    pub append_output: Vec<AppendOutput>,
}

/// What is appended to the outputs of some rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppendOutput {
    /// A format as in a rule's output; a blank is put before it.
    pub format: String,
    /// Only for rules over this source.
    pub source: Option<String>,
    /// Only for this rule.
    pub rule: Option<String>,
    /// Only for rules with all of these tags.
    pub tags: BTreeSet<String>,
}

/// A wrong format in [`LoadOptions::append_output`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{format}` is no output format: {reason}")]
pub struct OptionError {
    /// The format.
    pub format: String,
    /// What is wrong.
    pub reason: String,
}

/// Takes rule files and makes a [`RuleSet`] of them.
#[derive(Debug, Clone)]
pub struct Loader {
    options: LoadOptions,
    append: Vec<(AppendOutput, Output)>,
    items: Items,
}

impl Loader {
    /// A loader without rules.
    ///
    /// # Errors
    /// When a format to append is wrong.
    pub fn new(options: LoadOptions) -> Result<Self, OptionError> {
        let mut append = Vec::with_capacity(options.append_output.len());
        for one in &options.append_output {
            match Output::compile(&one.format) {
                Ok(output) => append.push((one.clone(), output)),
                Err(error) => {
                    return Err(OptionError {
                        format: one.format.clone(),
                        reason: error.message,
                    });
                }
            }
        }
        Ok(Self {
            options,
            append,
            items: Items::default(),
        })
    }

    /// Adds a file. Nothing of it is taken when the result has an error.
    pub fn add(&mut self, name: &str, content: &[u8]) -> LoadResult {
        self.add_all(&[(name, content)]).pop().unwrap_or_default()
    }

    /// Adds files that belong together, each with its name and content: what one defines counts as used when another uses
    /// it. Nothing is taken when any result has an error.
    pub fn add_all(&mut self, files: &[(&str, &[u8])]) -> Vec<LoadResult> {
        let mut items = self.items.clone();
        let mut results = Vec::with_capacity(files.len());
        for (name, content) in files {
            let mut result = LoadResult {
                name: (*name).to_owned(),
                ..LoadResult::default()
            };
            items.read(name, content, &mut result);
            results.push(result);
        }
        if results.iter().all(LoadResult::successful) {
            let names: HashSet<&str> = files.iter().map(|(name, _)| *name).collect();
            let (_, findings) = compile::compile(&items, &self.options, &self.append, &names);
            for finding in findings {
                // What is wrong in files of before is said with the last of these.
                let index = results
                    .iter()
                    .position(|result| finding.is_about(&result.name))
                    .or(results.len().checked_sub(1));
                if let Some(result) = index.and_then(|index| results.get_mut(index)) {
                    result.add(finding);
                }
            }
        }
        if results.iter().all(LoadResult::successful) {
            self.items = items;
        }
        results
    }

    /// Adds Hullward's own rules.
    pub fn add_own(&mut self) -> Vec<LoadResult> {
        let names: Vec<String> = rules::ALL
            .iter()
            .map(|rule| format!("hullward/{}.yaml", rule.name))
            .collect();
        let mut files = vec![("hullward/common.yaml", rules::COMMON.as_bytes())];
        for (name, rule) in names.iter().zip(rules::ALL) {
            files.push((name, rule.text.as_bytes()));
        }
        self.add_all(&files)
    }

    /// The rules of all files that were taken.
    #[must_use]
    pub fn finish(&self) -> RuleSet {
        compile::compile(&self.items, &self.options, &self.append, &HashSet::new()).0
    }
}
