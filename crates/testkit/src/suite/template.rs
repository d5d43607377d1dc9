//! Cases: a test that has some is a template, and each case makes one test of it.

use super::yaml::{Mistake, Node, Value, mistake};

/// Most tests that one template may make.
const MOST_TESTS: usize = 100_000;

/// The values of a case, by key.
pub type Values = Vec<(String, Node)>;

/// A test after its template was filled.
#[derive(Clone, Debug, PartialEq)]
pub struct Filled {
    /// The test, without `cases`; of a template, `name` ends with `_testCase#` and the case's number.
    pub test: Node,
    /// What the case gave; empty for a test that is no template.
    pub values: Values,
}

/// The tests that one entry of `tests` stands for.
///
/// # Errors
/// When `cases` has another form than the format's, or a placeholder names a key that the cases lack.
pub fn expand(file: &str, test: &Node) -> Result<Vec<Filled>, Mistake> {
    let entries = test
        .map()
        .ok_or_else(|| mistake(file, test.line, format!("a test is a map, not {}", test.kind())))?;
    let Some((_, specifications)) = entries.iter().find(|(key, _)| key == "cases") else {
        return Ok(vec![Filled {
            test: test.clone(),
            values: Vec::new(),
        }]);
    };
    let template = Node {
        value: Value::Map(
            entries
                .iter()
                .filter(|(key, _)| key != "cases")
                .cloned()
                .collect(),
        ),
        line: test.line,
    };
    let mut filled = Vec::new();
    for values in cases(file, specifications)? {
        let mut test = fill(file, &template, &values)?;
        if let Value::Map(entries) = &mut test.value
            && let Some((_, name)) = entries.iter_mut().find(|(key, _)| key == "name")
            && let Some(text) = name.text()
        {
            name.value = Value::Text(format!("{text}_testCase#{}", filled.len()));
        }
        filled.push(Filled { test, values });
    }
    Ok(filled)
}

fn cases(file: &str, specifications: &Node) -> Result<Vec<Values>, Mistake> {
    let list = specifications
        .list()
        .filter(|list| !list.is_empty())
        .ok_or_else(|| {
            mistake(
                file,
                specifications.line,
                "`cases` is a list of at least one case",
            )
        })?;
    let mut all = Vec::new();
    let mut keys: Option<Vec<String>> = None;
    for specification in list {
        let line = specification.line;
        let mut strategy = None;
        let mut values: Option<&[(String, Node)]> = None;
        for (key, node) in specification
            .map()
            .ok_or_else(|| mistake(file, line, "a case is a map of `strategy` and `values`"))?
        {
            match key.as_str() {
                "strategy" => strategy = node.text(),
                "values" => {
                    values = Some(
                        node.map()
                            .ok_or_else(|| mistake(file, node.line, "`values` of a case is a map"))?,
                    );
                }
                _ => return Err(mistake(file, node.line, format!("a case has no key `{key}`"))),
            }
        }
        let values = values.ok_or_else(|| mistake(file, line, "the case has no `values`"))?;
        let mut have: Vec<String> = values.iter().map(|(key, _)| key.clone()).collect();
        have.sort();
        match &keys {
            None => keys = Some(have),
            Some(keys) if *keys != have => {
                let message = format!(
                    "every case gives the same keys: the first has {}, this one has {}",
                    keys.join(", "),
                    have.join(", ")
                );
                return Err(mistake(file, line, message));
            }
            Some(_) => {}
        }
        match strategy.as_deref() {
            Some("vector") => all.push(values.to_vec()),
            Some("matrix") => all.extend(product(file, values)?),
            Some(other) => {
                let message = format!("strategy `{other}` is unknown; it is vector or matrix");
                return Err(mistake(file, line, message));
            }
            None => return Err(mistake(file, line, "the case has no `strategy`")),
        }
        if all.len() > MOST_TESTS {
            return Err(mistake(file, line, format!("more than {MOST_TESTS} cases")));
        }
    }
    Ok(all)
}

/// Every combination of the lists; the first key changes slowest.
fn product(file: &str, values: &[(String, Node)]) -> Result<Vec<Values>, Mistake> {
    let mut combinations: Vec<Values> = vec![Vec::new()];
    for (key, node) in values {
        let list = node.list().ok_or_else(|| {
            let message = format!("key `{key}` of a matrix is a list of values, not {}", node.kind());
            mistake(file, node.line, message)
        })?;
        if combinations.len().saturating_mul(list.len()) > MOST_TESTS {
            return Err(mistake(
                file,
                node.line,
                format!("more than {MOST_TESTS} combinations"),
            ));
        }
        combinations = combinations
            .iter()
            .flat_map(|combination| {
                list.iter().map(move |value| {
                    let mut longer = combination.clone();
                    longer.push((key.clone(), value.clone()));
                    longer
                })
            })
            .collect();
    }
    Ok(combinations)
}

/// Replaces every placeholder. One that is a whole text becomes the case's value with its type, one inside a longer text
/// becomes the value's text.
fn fill(file: &str, node: &Node, values: &Values) -> Result<Node, Mistake> {
    let value = match &node.value {
        Value::Map(entries) => Value::Map(
            entries
                .iter()
                .map(|(key, item)| Ok((key.clone(), fill(file, item, values)?)))
                .collect::<Result<_, Mistake>>()?,
        ),
        Value::List(items) => Value::List(
            items
                .iter()
                .map(|item| fill(file, item, values))
                .collect::<Result<_, Mistake>>()?,
        ),
        Value::Text(text) => return fill_text(file, node, text, values),
        other => other.clone(),
    };
    Ok(Node {
        value,
        line: node.line,
    })
}

fn fill_text(file: &str, node: &Node, text: &str, values: &Values) -> Result<Node, Mistake> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("%{") {
        let Some(end) = rest[start..].find('}').map(|end| start + end) else {
            break;
        };
        let Some(key) = rest[start + 2..end].trim().strip_prefix("item.") else {
            filled.push_str(&rest[..=end]);
            rest = &rest[end + 1..];
            continue;
        };
        let value = values
            .iter()
            .find(|(have, _)| have == key)
            .map(|(_, value)| value)
            .ok_or_else(|| mistake(file, node.line, format!("no case gives a value for `item.{key}`")))?;
        let whole = filled.is_empty() && rest[..start].trim().is_empty() && rest[end + 1..].trim().is_empty();
        if whole && text.trim().len() == end + 1 - start {
            return Ok(Node {
                value: value.value.clone(),
                line: node.line,
            });
        }
        filled.push_str(&rest[..start]);
        filled.push_str(&value.text().ok_or_else(|| {
            let message = format!(
                "`item.{key}` is {}, which has no text to put in here",
                value.kind()
            );
            mistake(file, node.line, message)
        })?);
        rest = &rest[end + 1..];
    }
    filled.push_str(rest);
    Ok(Node {
        value: Value::Text(filled),
        line: node.line,
    })
}

#[cfg(test)]
mod tests {
    use super::super::yaml::read;
    use super::*;

    fn expanded(text: &str) -> Result<Vec<String>, String> {
        let node = read("a.yaml", text).unwrap();
        expand("a.yaml", &node)
            .map(|tests| tests.iter().map(|filled| filled.test.to_string()).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn tests_without_cases_stay() {
        assert_eq!(
            expanded("name: a\nx: \"%{ item.y }\"\n").unwrap(),
            ["{name: a, x: %{ item.y }}"]
        );
    }

    #[test]
    fn vectors_and_matrices_make_tests_with_numbers_that_go_on() {
        let text = "
name: t
a: \"%{ item.a }\"
b: [\"%{item.b}\"]
c: before %{ item.a } after %{ item.b }
cases:
  - strategy: vector
    values: {a: 0, b: null}
  - strategy: matrix
    values: {a: [1, x], b: [{}, [y]]}
"
        .replace("c: before %{ item.a } after %{ item.b }", "c: \"<%{ item.a }>\"");
        assert_eq!(
            expanded(&text).unwrap(),
            [
                "{name: t_testCase#0, a: 0, b: [null], c: <0>}",
                "{name: t_testCase#1, a: 1, b: [{}], c: <1>}",
                "{name: t_testCase#2, a: 1, b: [[y]], c: <1>}",
                "{name: t_testCase#3, a: x, b: [{}], c: <x>}",
                "{name: t_testCase#4, a: x, b: [[y]], c: <x>}",
            ]
        );
    }

    #[test]
    fn values_keep_their_types() {
        let node = read(
            "a.yaml",
            "name: t\nmode: \" %{ item.mode } \"\ncases: [{strategy: vector, values: {mode: 0644}}]",
        )
        .unwrap();
        let tests = expand("a.yaml", &node).unwrap();
        let (_, mode) = &tests[0].test.map().unwrap()[1];
        assert_eq!(mode.value, Value::Integer(0o644));
    }

    #[test]
    fn mistakes_are_told() {
        for (cases, expected) in [
            ("[]", "a.yaml:3: `cases` is a list of at least one case"),
            (
                "[{strategy: vector, values: {b: 1}}]",
                "a.yaml:2: no case gives a value for `item.a`",
            ),
            (
                "[{strategy: matrix, values: {a: 1}}]",
                "a.yaml:3: key `a` of a matrix is a list of values, not a number",
            ),
            (
                "[{strategy: tensor, values: {a: 1}}]",
                "a.yaml:3: strategy `tensor` is unknown; it is vector or matrix",
            ),
            (
                "[{strategy: vector, values: {a: 1}}, {strategy: vector, values: {a: 1, b: 2}}]",
                "a.yaml:3: every case gives the same keys: the first has a, this one has a, b",
            ),
            ("[{values: {a: 1}}]", "a.yaml:3: the case has no `strategy`"),
            ("[{strategy: vector}]", "a.yaml:3: the case has no `values`"),
            (
                "[{strategy: vector, values: {a: 1}, x: 1}]",
                "a.yaml:3: a case has no key `x`",
            ),
        ] {
            let text = format!("name: t\na: \"%{{ item.a }}\"\ncases: {cases}\n");
            assert_eq!(expanded(&text).unwrap_err(), expected);
        }
        let many = vec!["1"; 400].join(",");
        let text = format!(
            "name: t\ncases: [{{strategy: matrix, values: {{a: [{many}], b: [{many}], c: [{many}]}}}}]"
        );
        assert!(expanded(&text).unwrap_err().contains("combinations"));
    }
}
