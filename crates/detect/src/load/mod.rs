//! Loads rule files as Falco does, one after the other: later files change what earlier ones define.

mod compile;
mod items;
mod report;
mod substitute;
mod versions;

pub use report::{Code, Finding, LoadResult, Location, results_to_json};

use crate::output::Output;
use crate::ruleset::RuleSet;
use items::Items;
use model::event::Priority;
use std::collections::BTreeSet;

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
        let mut result = LoadResult {
            name: name.to_owned(),
            ..LoadResult::default()
        };
        let mut items = self.items.clone();
        items.read(name, content, &mut result);
        if result.successful() {
            compile::compile(&items, &self.options, &self.append, &mut result);
        }
        if result.successful() {
            self.items = items;
        }
        result
    }

    /// The rules of all files that were taken.
    #[must_use]
    pub fn finish(&self) -> RuleSet {
        let mut result = LoadResult::default();
        compile::compile(&self.items, &self.options, &self.append, &mut result)
    }
}
