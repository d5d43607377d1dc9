//! Hullward's own rules find what their examples say, and nothing in the examples of events that they must not find.
#![allow(clippy::unwrap_used, reason = "a failing test helper should panic")]

use detect::{Evaluator, LoadOptions, Loader, rules};
use sensor::sample;
use std::collections::BTreeMap;
use std::sync::Arc;

#[test]
fn examples_do_what_they_say() {
    let mut loader = Loader::new(LoadOptions {
        all_matches: true,
        ..LoadOptions::default()
    })
    .unwrap();
    let result = loader.add(rules::FILE_NAME, rules::file().as_bytes());
    assert!(result.successful());
    let set = Arc::new(loader.finish());
    let mut evaluator = Evaluator::new(Arc::clone(&set));
    let mut failures = Vec::new();
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for rule in rules::ALL {
        let title = rule.guidance().title;
        for example in rule.examples {
            let place = format!("{}/{}", rule.name, example.name);
            let events = match sample::parse(example.text).and_then(|samples| sample::events(&samples)) {
                Ok(events) => events,
                Err(error) => {
                    failures.push(format!("{place}: {error}"));
                    continue;
                }
            };
            let fired: Vec<Vec<String>> = events
                .iter()
                .map(|event| {
                    let mut fired = Vec::new();
                    evaluator.evaluate(event, |id| {
                        fired.extend(set.rule(id).map(|rule| rule.name.clone()));
                    });
                    fired
                })
                .collect();
            let wants_hit = example.name.starts_with("hit-");
            let is_found = match wants_hit {
                true => fired.last().is_some_and(|fired| fired.contains(&title)),
                false => fired.iter().any(|fired| fired.contains(&title)),
            };
            if is_found != wants_hit {
                failures.push(format!("{place}: found is {is_found}; what fired: {fired:?}"));
            }
            *found.entry(rule.name).or_default() += usize::from(is_found);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(found.values().all(|count| *count > 0));
}
