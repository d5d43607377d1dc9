//! The rule language, its evaluator, and the detection rules.

pub mod attack;
mod check;
pub mod coverage;
pub mod filter;
mod load;
mod names;
mod operand;
mod output;
mod pattern;
mod program;
#[cfg(test)]
mod properties;
pub mod rules;
mod ruleset;
#[cfg(test)]
mod semantics;
#[cfg(test)]
mod test_event;
mod yaml;

pub use check::service_name;
pub use load::{
    AppendOutput, Code, Finding, LoadOptions, LoadResult, Loader, Location, OptionError, results_to_json,
};
pub use ruleset::{Evaluator, Rule, RuleId, RuleSet, RuleTime};
pub use yaml::Position;

/// The known name that is nearest to one that is not known, when it is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Names are short; what is longer is no slip of a known one.
    const LONGEST: usize = 80;
    if name.len() > LONGEST {
        return None;
    }
    let allowed = name.chars().count().div_ceil(4).clamp(1, 3);
    known
        .into_iter()
        .filter(|known| known.len() <= LONGEST)
        .map(|known| (distance(name, known), known))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, known)| known)
}

/// How many characters are to be put in, taken out, replaced or swapped with the next.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, have) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, want) in right.iter().enumerate() {
            let mut cost = (last[column] + usize::from(have != want))
                .min(last[column + 1] + 1)
                .min(current[column] + 1);
            let swapped = row > 0 && column > 0 && *have == right[column - 1] && left[row - 1] == *want;
            if swapped {
                cost = cost.min(before[column - 1] + 1);
            }
            current.push(cost);
        }
        before = std::mem::replace(&mut last, current);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_nearest_name_is_found() {
        let known = ["proc.name", "proc.pname", "fd.name", "proc.aname"];
        assert_eq!(super::nearest("proc.nmae", known), Some("proc.name"));
        assert_eq!(super::nearest("proc.names", known), Some("proc.name"));
        assert_eq!(super::nearest("container.id", known), None);
    }
}
