//! How many packages a scan keeps in all, whatever its layers and files list.

use inventory::{Extracted, Found};
use model::{Package, Problem};
use std::sync::{Mutex, PoisonError};

/// Most packages of one target, each file's counted before equal ones are united. One takes 1 to 2 KiB of memory until the
/// report is written.
pub const DEFAULT_MAX_PACKAGES: usize = 500_000;

/// Files that are named one by one once there are too many packages.
const FILES_NAMED: usize = 20;

/// What may still be kept; shared by all threads of a scan.
pub(crate) struct Budget {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    kept: usize,
    left_out: usize,
    /// Files whose packages were left out, and those of them that are named.
    files: usize,
    problems: Vec<Problem>,
}

impl Budget {
    /// A scan that keeps at most so many packages.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            state: Mutex::default(),
        }
    }

    /// Cuts what a file lists to what may still be kept.
    pub(crate) fn admit(&self, path: &str, extracted: &mut Extracted) {
        self.admit_packages(path, &mut extracted.packages);
    }

    /// The same for results that come from the cache.
    pub(crate) fn admit_all(&self, found: &mut [Found]) {
        for one in found {
            self.admit(&one.path, &mut one.extracted);
        }
    }

    fn admit_packages(&self, path: &str, packages: &mut Vec<Package>) {
        if packages.is_empty() {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let room = self.most.saturating_sub(state.kept);
        let listed = packages.len();
        packages.truncate(room);
        state.kept += packages.len();
        let left_out = listed - packages.len();
        if left_out == 0 {
            return;
        }
        packages.shrink_to_fit();
        state.left_out += left_out;
        state.files += 1;
        if state.files <= FILES_NAMED {
            state.problems.push(Problem::file(
                path,
                format!(
                    "{left_out} of its {listed} packages were left out: the target has more than {}, the most that are kept",
                    self.most
                ),
            ));
        }
    }

    /// True when packages were left out: then nothing of the scan may enter the cache.
    pub(crate) fn is_exceeded(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).left_out > 0
    }

    /// What was left out.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut problems = state.problems.clone();
        if state.left_out > 0 {
            problems.push(Problem::general(format!(
                "the target has {} packages; {} of {} files were left out, since at most {} are kept; raise `max-packages` \
                 if there is memory for more",
                state.kept + state.left_out,
                state.left_out,
                state.files,
                self.most
            )));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Purl;

    #[test]
    fn what_is_too_much_is_counted_and_named() {
        let budget = Budget::new(5);
        let list = |count: usize| Extracted {
            packages: (0..count)
                .map(|number| {
                    let name = number.to_string();
                    Package::new("t", Purl::new("npm", "", &name, "1"), "npm", name, "1")
                })
                .collect(),
            ..Extracted::default()
        };
        let (mut first, mut second, mut third) = (list(3), list(4), list(1));
        budget.admit("a", &mut first);
        assert!(!budget.is_exceeded());
        budget.admit("b", &mut second);
        budget.admit("c", &mut third);
        let lengths = [&first, &second, &third].map(|extracted| extracted.packages.len());
        assert_eq!(lengths, [3, 2, 0]);
        assert!(budget.is_exceeded());
        let told: Vec<String> = budget
            .problems()
            .into_iter()
            .map(|problem| format!("{}: {}", problem.path.unwrap_or_default(), problem.message))
            .collect();
        assert_eq!(told.len(), 3);
        assert!(told[0].starts_with("b: 2 of its 4 packages"), "{told:?}");
        assert!(told[2].contains("has 8 packages; 3 of 2 files"), "{told:?}");
    }
}
