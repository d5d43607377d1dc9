//! Support periods of releases, from endoflife.date.

use super::{Feed, Item, Sink, file_name, shown};
use crate::records::Cycle;
use model::{Meta, Problem};
use serde_json::{Map, Value};

/// The member.
pub(super) static END_OF_LIFE_FEED: EndOfLifeFeed = EndOfLifeFeed;

pub(super) struct EndOfLifeFeed;

static META: Meta = Meta {
    name: "end-of-life-feed",
    title: "Until when releases of distributions and runtimes are supported",
    finds: &[
        "endoflife.json: {product: [{cycle, eol, …}]}",
        "endoflife.json: the answer of endoflife.date's API v1 to /products/full",
    ],
    needs: &[],
    references: &["https://endoflife.date/docs/api/v1/"],
};

impl Feed for EndOfLifeFeed {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn wants(&self, path: &str) -> bool {
        file_name(path) == "endoflife.json"
    }

    fn read(&self, path: &str, bytes: &[u8], sink: &mut dyn Sink) {
        let document: Map<String, Value> = match serde_json::from_slice(bytes) {
            Ok(document) => document,
            Err(error) => {
                return sink.problem(Problem::file(
                    path,
                    format!("the end-of-life data is no JSON object: {error}"),
                ));
            }
        };
        if let Some(Value::Array(products)) = document.get("result") {
            for product in products {
                let name = text(product, "name");
                let releases = product.get("releases").and_then(Value::as_array);
                for release in releases.into_iter().flatten() {
                    one(path, &name, text(release, "name"), Form::Api, release, sink);
                }
            }
            return;
        }
        for (name, cycles) in &document {
            let Value::Array(cycles) = cycles else {
                sink.problem(Problem::file(
                    path,
                    format!("product `{}` has no list of cycles", shown(name)),
                ));
                continue;
            };
            for cycle in cycles {
                one(path, name, text(cycle, "cycle"), Form::List, cycle, sink);
            }
        }
    }
}

/// The two forms in which the data is given.
#[derive(Clone, Copy)]
enum Form {
    /// `{product: [{cycle, eol, eoes, …}]}`
    List,
    /// `{result: [{name, releases: [{name, isEol, eolFrom, eoesFrom, …}]}]}`
    Api,
}

fn one(path: &str, product: &str, cycle: String, form: Form, value: &Value, sink: &mut dyn Sink) {
    if cycle.is_empty() || product.is_empty() {
        return sink.problem(Problem::file(
            path,
            format!("a cycle of product `{}` has no name", shown(product)),
        ));
    }
    let (end, extended, ended_key) = match form {
        Form::List => (value.get("eol"), value.get("eoes"), None),
        Form::Api => (value.get("eolFrom"), value.get("eoesFrom"), value.get("isEol")),
    };
    let date = |value: Option<&Value>| match value {
        Some(Value::String(date)) if is_date(date) => Some(date.clone()),
        _ => None,
    };
    let flag = |value: Option<&Value>| value.and_then(Value::as_bool);
    if let Some(Value::String(text)) = end
        && !is_date(text)
    {
        return sink.problem(Problem::file(
            path,
            format!(
                "{} {}: `{}` is no date",
                shown(product),
                shown(&cycle),
                shown(text)
            ),
        ));
    }
    sink.item(Item::Cycle(
        product.to_owned(),
        Cycle {
            codename: text(value, "codename"),
            date: date(end).unwrap_or_default(),
            ended: flag(end).or_else(|| flag(ended_key)).unwrap_or(false),
            extended: date(extended),
            cycle,
        },
    ));
}

/// `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10
}

/// A string or number as text, empty if it is neither.
fn text(value: &Value, key: &str) -> String {
    match value.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}
