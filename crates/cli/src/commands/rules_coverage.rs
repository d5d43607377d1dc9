//! `hullward rules coverage`: which techniques of ATT&CK for Containers the rules look for.

use super::rules;
use crate::arguments::{CoverageFormat, RuleSource};
use crate::console::Console;
use crate::{Failure, Outcome};
use anyhow::Context;
use detect::coverage::Coverage;
use serde::Serialize;

/// Runs the command.
///
/// # Errors
/// When the rules cannot be loaded.
pub(crate) fn run(
    source: &RuleSource,
    format: CoverageFormat,
    console: &Console,
) -> Result<Outcome, Failure> {
    let rules = rules::load(source, console)?;
    let running = rules.rules().iter().filter(|rule| rule.enabled);
    let coverage = Coverage::of(running.map(|rule| (rule.name.as_str(), rule.tags.as_slice())));
    let text = match format {
        CoverageFormat::Markdown => format!("# Coverage of MITRE ATT&CK\n\n{}", coverage.markdown()),
        CoverageFormat::Json => crate::console::json(&CoverageObject::of(&coverage))
            .context("the coverage could not be written")
            .map_err(Failure::internal)?,
    };
    super::print(&text)?;
    Ok(Outcome::Done)
}

/// Coverage as JSON.
#[derive(Serialize)]
struct CoverageObject<'a> {
    rules: usize,
    techniques: Vec<TechniqueObject<'a>>,
    outside_of_matrix: Vec<OutsideObject<'a>>,
    rules_without_technique: &'a [String],
}

#[derive(Serialize)]
struct TechniqueObject<'a> {
    id: &'static str,
    name: &'static str,
    tactics: &'static [&'static str],
    state: &'static str,
    rules: &'a [String],
}

#[derive(Serialize)]
struct OutsideObject<'a> {
    id: &'a str,
    rules: &'a [String],
}

impl<'a> CoverageObject<'a> {
    fn of(coverage: &'a Coverage) -> Self {
        Self {
            rules: coverage.rules,
            techniques: coverage
                .techniques
                .iter()
                .map(|covered| TechniqueObject {
                    id: covered.technique.id,
                    name: covered.technique.name,
                    tactics: covered.technique.tactics,
                    state: covered.state.name(),
                    rules: &covered.rules,
                })
                .collect(),
            outside_of_matrix: coverage
                .outside
                .iter()
                .map(|(id, rules)| OutsideObject { id, rules })
                .collect(),
            rules_without_technique: &coverage.without,
        }
    }
}
