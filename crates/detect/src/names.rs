//! Domain names in rules, and the addresses that they stand for. Nothing is looked up here: who runs the rules does it.

use std::net::IpAddr;
use std::sync::{PoisonError, RwLock};

/// The names that rules compare addresses with.
#[derive(Debug, Default)]
pub(crate) struct Names {
    all: RwLock<Vec<(String, Vec<IpAddr>)>>,
}

impl Names {
    /// The number of a name, which is added when it is new.
    pub(crate) fn add(&self, name: &str) -> usize {
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = all.iter().position(|(have, _)| have == name) {
            return index;
        }
        all.push((name.to_owned(), Vec::new()));
        all.len() - 1
    }

    /// Every name.
    pub(crate) fn list(&self) -> Vec<String> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Says what a name stands for.
    pub(crate) fn set(&self, name: &str, addresses: &[IpAddr]) {
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, have)) = all.iter_mut().find(|(have, _)| have == name) {
            *have = addresses.iter().map(IpAddr::to_canonical).collect();
        }
    }

    /// Whether any of these names stands for the address.
    pub(crate) fn any(&self, indexes: &[usize], address: IpAddr) -> bool {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        indexes
            .iter()
            .filter_map(|index| all.get(*index))
            .any(|(_, addresses)| addresses.contains(&address))
    }

    /// A name that stands for the address.
    pub(crate) fn name_of(&self, address: IpAddr) -> Option<String> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.iter()
            .find(|(_, addresses)| addresses.contains(&address))
            .map(|(name, _)| name.clone())
    }
}
