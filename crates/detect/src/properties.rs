//! Properties that hold for any input: conditions are read as they are written, compiled ones mean what their parts mean,
//! and nothing in a rule file makes the loader panic.

use crate::filter::{
    CallArgument, Check, Expression, Modifier, Operand, Operator, Right, Transformer, parse,
};
use crate::pattern::{Glob, PathPrefixes};
use crate::test_event::TestEvent;
use crate::{Evaluator, LoadOptions, Loader};
use model::event::Value;
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::Arc;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z/._0-9-]{1,8}",
        "[ -~]{0,12}",
        ".{0,6}",
        Just("anyof".to_owned()),
        Just("\\ \n\t\r\u{8}\u{c}\"'".to_owned()),
    ]
}

fn field() -> impl Strategy<Value = Operand> {
    let name = prop_oneof!["[a-z]{1,5}\\.[a-z_]{1,6}", "[a-z]{1,3}(\\.[a-z0-9_]{1,3}){1,3}"];
    let argument = prop_oneof![
        Just(None),
        "[0-9]{1,3}".prop_map(Some),
        "/[a-z/ *\\\\\"'\\]\\[]{0,6}".prop_map(Some)
    ];
    (name, argument).prop_map(|(name, argument)| Operand::Field {
        name,
        argument,
        at: 0,
    })
}

fn operand() -> impl Strategy<Value = Operand> {
    field().prop_recursive(2, 6, 3, |inner| {
        let argument = prop_oneof![
            inner.clone().prop_map(CallArgument::Operand),
            text().prop_map(CallArgument::Text),
            "-?[0-9]{1,4}".prop_map(CallArgument::Number),
        ];
        let list = vec(argument.clone(), 1..3).prop_map(CallArgument::List);
        let any = prop_oneof![argument, list];
        (
            proptest::sample::select(Transformer::ALL),
            vec(any, 1..3),
            proptest::option::of("[a-z]{1,3}"),
        )
            .prop_map(|(transformer, arguments, index)| Operand::Call {
                transformer,
                arguments,
                index,
                at: 0,
            })
    })
}

fn check() -> impl Strategy<Value = Check> {
    let right = |operator: Operator| -> BoxedStrategy<(Option<Modifier>, Right)> {
        let list = || vec(text(), 0..4).prop_map(Right::List);
        match operator {
            Operator::Exists => Just((None, Right::None)).boxed(),
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                prop_oneof![
                    "-?[0-9]{1,5}".prop_map(|number| (None, Right::Text(number))),
                    operand().prop_map(|operand| (None, Right::Operand(operand))),
                ]
                .boxed()
            }
            Operator::In | Operator::Intersects | Operator::PathMatch => prop_oneof![
                list().prop_map(|list| (None, list)),
                operand().prop_map(|operand| (None, Right::Operand(operand))),
            ]
            .boxed(),
            _ => prop_oneof![
                text().prop_map(|text| (None, Right::Text(text))),
                operand().prop_map(|operand| (None, Right::Operand(operand))),
                (proptest::sample::select(Modifier::ALL), list())
                    .prop_map(|(modifier, list)| (Some(modifier), list)),
            ]
            .boxed(),
        }
    };
    (operand(), proptest::sample::select(Operator::ALL)).prop_flat_map(move |(left, operator)| {
        right(operator).prop_map(move |(modifier, right)| Check {
            left: left.clone(),
            operator,
            modifier,
            right,
            operator_at: 0,
            right_at: 0,
        })
    })
}

fn expression(leaf: BoxedStrategy<Expression>) -> impl Strategy<Value = Expression> {
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Expression::all),
            vec(inner.clone(), 2..4).prop_map(Expression::any),
            inner.prop_map(Expression::negated),
        ]
    })
}

/// The same condition without its places.
fn placeless(expression: &Expression) -> Expression {
    fn operand(of: &Operand) -> Operand {
        match of {
            Operand::Field { name, argument, .. } => Operand::Field {
                name: name.clone(),
                argument: argument.clone(),
                at: 0,
            },
            Operand::Call {
                transformer,
                arguments,
                index,
                ..
            } => Operand::Call {
                transformer: *transformer,
                arguments: arguments.iter().map(argument).collect(),
                index: index.clone(),
                at: 0,
            },
        }
    }
    fn argument(of: &CallArgument) -> CallArgument {
        match of {
            CallArgument::Operand(inner) => CallArgument::Operand(operand(inner)),
            CallArgument::List(list) => CallArgument::List(list.iter().map(argument).collect()),
            other => other.clone(),
        }
    }
    match expression {
        Expression::And(parts) => Expression::And(parts.iter().map(placeless).collect()),
        Expression::Or(parts) => Expression::Or(parts.iter().map(placeless).collect()),
        Expression::Not(inner) => Expression::Not(Box::new(placeless(inner))),
        Expression::Macro { name, .. } => Expression::Macro {
            name: name.clone(),
            at: 0,
        },
        Expression::Check(check) => Expression::Check(Check {
            left: operand(&check.left),
            right: match &check.right {
                Right::Operand(inner) => Right::Operand(operand(inner)),
                other => other.clone(),
            },
            operator_at: 0,
            right_at: 0,
            ..check.clone()
        }),
    }
}

/// Conditions whose truth is known without the engine, for an event that the flags describe.
const LEAVES: [&str; 7] = [
    "evt.type = open",
    "evt.type in (open, connect)",
    "evt.type != close",
    "proc.name = a",
    "fd.num > 3",
    "proc.cwd = x",
    "evt.num = 0",
];

#[derive(Debug, Clone, Copy)]
struct Facts {
    kind: &'static str,
    named: bool,
    high: bool,
}

impl Facts {
    fn leaf(self, index: usize) -> bool {
        match index {
            0 => self.kind == "open",
            1 => matches!(self.kind, "open" | "connect"),
            2 => self.kind != "close",
            3 => self.named,
            4 => self.high,
            _ => false,
        }
    }

    fn event(self) -> TestEvent {
        TestEvent::new(self.kind)
            .text("proc.name", if self.named { "a" } else { "b" })
            .number("fd.num", if self.high { 9 } else { 1 })
            .with("evt.num", Value::Uint(1))
    }

    fn holds(self, expression: &Expression) -> bool {
        match expression {
            Expression::And(parts) => parts.iter().all(|part| self.holds(part)),
            Expression::Or(parts) => parts.iter().any(|part| self.holds(part)),
            Expression::Not(inner) => !self.holds(inner),
            Expression::Macro { name, .. } => {
                let index = name.trim_start_matches("leaf").parse().unwrap();
                self.leaf(index)
            }
            Expression::Check(_) => unreachable!("leaves are macros"),
        }
    }
}

/// fnmatch in the plainest way, for short texts.
fn plain_glob(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.first(), text.first()) {
        (None, None) => true,
        (Some(b'*'), _) => {
            plain_glob(&pattern[1..], text) || (!text.is_empty() && plain_glob(pattern, &text[1..]))
        }
        (Some(b'?'), Some(_)) => plain_glob(&pattern[1..], &text[1..]),
        (Some(want), Some(have)) => want == have && plain_glob(&pattern[1..], &text[1..]),
        _ => false,
    }
}

/// A path at or below a pattern, component by component.
fn plain_prefix(pattern: &str, path: &str) -> bool {
    let parts = |path: &str| -> Vec<String> {
        path.split('/')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (pattern, path) = (parts(pattern), parts(path));
    pattern.len() <= path.len()
        && pattern
            .iter()
            .zip(&path)
            .all(|(pattern, part)| plain_glob(pattern.as_bytes(), part.as_bytes()))
}

proptest! {
    #[test]
    fn conditions_are_read_as_they_are_written(
        expression in expression(prop_oneof![
            3 => check().prop_map(Expression::Check),
            1 => "[a-m][a-z_]{0,5}".prop_map(|name| Expression::Macro { name, at: 0 }),
        ].boxed())
    ) {
        let text = expression.to_string();
        let read = parse(&text).map_err(|error| {
            TestCaseError::fail(format!("{text}: {error} at {}", error.at))
        })?;
        prop_assert_eq!(placeless(&read), placeless(&expression), "{}", text);
        let pretty = parse(&expression.pretty()).map_err(|error| {
            TestCaseError::fail(format!("{}: {error}", expression.pretty()))
        })?;
        prop_assert_eq!(placeless(&pretty), placeless(&expression));
    }

    #[test]
    fn any_text_is_read_or_an_error(text in "[ -~\n]{0,60}|.{0,30}") {
        if let Ok(expression) = parse(&text) {
            let written = expression.to_string();
            prop_assert_eq!(parse(&written).unwrap().to_string(), written);
        }
    }

    #[test]
    fn compiled_conditions_mean_what_their_parts_mean(
        conditions in vec(
            expression((0..LEAVES.len()).prop_map(|index| Expression::Macro {
                name: format!("leaf{index}"),
                at: 0,
            }).boxed()),
            1..5,
        )
    ) {
        let mut file = String::new();
        for (index, leaf) in LEAVES.iter().enumerate() {
            file += &format!("- macro: leaf{index}\n  condition: {leaf}\n");
        }
        for (index, condition) in conditions.iter().enumerate() {
            file += &format!(
                "- rule: r{index}\n  desc: d\n  condition: {condition}\n  output: o\n  priority: INFO\n"
            );
        }
        let mut loader = Loader::new(LoadOptions { all_matches: true, ..LoadOptions::default() }).unwrap();
        let result = loader.add("file", file.as_bytes());
        prop_assert!(result.successful(), "{:?}", result.errors);
        let rules = Arc::new(loader.finish());
        let mut evaluator = Evaluator::new(Arc::clone(&rules));
        for kind in ["open", "connect", "close", "execve"] {
            for (named, high) in [(false, false), (false, true), (true, false), (true, true)] {
                let facts = Facts { kind, named, high };
                let mut fired = vec![false; conditions.len()];
                evaluator.evaluate(&facts.event(), |id| fired[id.0 as usize] = true);
                for (index, condition) in conditions.iter().enumerate() {
                    prop_assert_eq!(fired[index], facts.holds(condition), "{} {:?}", condition, facts);
                    let possible = rules.rules()[index].event_types();
                    let kind = model::event::EventType::named(kind).unwrap();
                    prop_assert!(!fired[index] || possible.contains(&kind), "{}", condition);
                }
            }
        }
    }

    #[test]
    fn globs_agree_with_the_plainest_way(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
        prop_assert_eq!(
            Glob::new(pattern.as_bytes(), false).matches(text.as_bytes()),
            plain_glob(pattern.as_bytes(), text.as_bytes())
        );
    }

    #[test]
    fn path_prefixes_agree_with_the_plainest_way(
        patterns in vec("(/[ab*]{1,2}){1,3}", 0..5),
        path in "(/[ab]{1,2}){0,4}",
    ) {
        let prefixes = PathPrefixes::new(patterns.iter().map(String::as_bytes));
        let expected = patterns.iter().any(|pattern| plain_prefix(pattern, &path));
        prop_assert_eq!(prefixes.matches(path.as_bytes()), expected);
    }

    #[test]
    fn any_rule_file_is_taken_or_refused(
        lines in vec(
            prop_oneof![
                proptest::sample::select(vec![
                    "- rule: r", "- macro: m", "- list: l", "  desc: d", "  condition: evt.type=open and m",
                    "  output: a %proc.name[1] b", "  priority: INFO", "  items: [a, l, 1]", "  append: true",
                    "  override: {condition: append}", "  exceptions:", "    - name: e", "      fields: [fd.name]",
                    "      values: [[a], l]", "---", "  tags: [a]", "  source: k8s_audit", "  enabled: false",
                ]).prop_map(str::to_owned),
                "[ -~]{0,20}",
            ],
            0..24,
        )
    ) {
        let mut loader = Loader::new(LoadOptions::default()).unwrap();
        let result = loader.add("file", lines.join("\n").as_bytes());
        for finding in result.errors.iter().chain(&result.warnings) {
            let _ = finding.to_text();
        }
        let _ = crate::results_to_json(&[result]);
        let _ = loader.finish();
    }
}
