//! Looks up the domain names that rules compare addresses with, at the start and again from time to time: after 10 seconds,
//! then twice as long while nothing changes, at most 320.

use detect::RuleSet;
use std::collections::BTreeMap;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(320);

/// Looks names up until it is dropped.
pub(crate) struct Resolver {
    rules: Arc<Mutex<Arc<RuleSet>>>,
    wake: Sender<()>,
}

impl Resolver {
    /// Starts, if the rules name any domain; the lookups never hold anything up.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(crate) fn start(rules: &Arc<RuleSet>) -> std::io::Result<Self> {
        let rules = Arc::new(Mutex::new(Arc::clone(rules)));
        let (wake, waked) = channel();
        let shared = Arc::clone(&rules);
        std::thread::Builder::new()
            .name("names".to_owned())
            .spawn(move || work(&shared, &waked))?;
        Ok(Self { rules, wake })
    }

    /// From now on for these rules.
    pub(crate) fn reload(&self, rules: &Arc<RuleSet>) {
        *self.rules.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(rules);
        let _ = self.wake.send(());
    }
}

fn work(rules: &Mutex<Arc<RuleSet>>, waked: &Receiver<()>) {
    let mut known: BTreeMap<String, Vec<IpAddr>> = BTreeMap::new();
    let mut pause = FIRST;
    loop {
        let rules = Arc::clone(&rules.lock().unwrap_or_else(PoisonError::into_inner));
        let mut changed = false;
        for name in rules.names_to_resolve() {
            let mut addresses: Vec<IpAddr> = (name.as_str(), 0)
                .to_socket_addrs()
                .map(|found| found.map(|address| address.ip()).collect())
                .unwrap_or_default();
            addresses.sort_unstable();
            addresses.dedup();
            rules.set_resolved(&name, &addresses);
            changed |= known.get(&name) != Some(&addresses);
            known.insert(name, addresses);
        }
        pause = if changed { FIRST } else { (pause * 2).min(LONGEST) };
        match waked.recv_timeout(pause) {
            Ok(()) => {
                known.clear();
                pause = FIRST;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
