//! Repetitions and floods of alerts become few, and what was left out is counted and told.
//!
//! All time is that of the alerts, so nothing here waits.

use model::event::{Alert, FieldValue};
use serde::Deserialize;
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

/// The rule that summaries name.
pub const SUMMARY_RULE: &str = "Hullward internal: alerts suppressed";

const SECOND: u64 = 1_000_000_000;
/// Alerts come slightly out of order; a step back of more than this is a clock that was set.
const DISORDER: u64 = 60 * SECOND;

/// How much is let through.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AggregateSettings {
    /// Alerts a second that one rule may raise in one container in the long run; 0 for no limit.
    pub rate: f64,
    /// How many it may raise at once.
    pub burst: u32,
    /// For so many seconds, an alert that says the same as one before is only counted; 0 for never.
    pub duplicates_seconds: u64,
    /// After so many seconds, what was left out is told.
    pub summary_seconds: u64,
    /// How many pairs of rule and container, and how many repeated alerts, are remembered.
    pub keys: usize,
}

impl Default for AggregateSettings {
    fn default() -> Self {
        Self {
            rate: 1.0,
            burst: 1000,
            duplicates_seconds: 0,
            summary_seconds: 60,
            keys: 10_000,
        }
    }
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AggregateCounts {
    /// Alerts let through, summaries not among them.
    pub passed: u64,
    /// Alerts left out because there were too many.
    pub limited: u64,
    /// Alerts left out because they said the same as one before.
    pub repeated: u64,
}

/// The limiter of all rules and containers.
pub struct Aggregator {
    settings: AggregateSettings,
    hasher: RandomState,
    /// Recently used last.
    order: BTreeMap<u64, Key>,
    buckets: HashMap<Key, Bucket>,
    /// When the repeated alerts were first seen, oldest first.
    seen: HashMap<(u64, u64), u64>,
    seen_order: BTreeMap<(u64, u64), (u64, u64)>,
    tick: u64,
    now: u64,
    counts: AggregateCounts,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    rule: String,
    container: String,
}

struct Bucket {
    /// Alerts that may pass, in billionths.
    tokens: u128,
    filled: u64,
    tick: u64,
    left_out: Option<LeftOut>,
}

/// Alerts of one rule and container that did not pass.
struct LeftOut {
    limited: u64,
    repeated: u64,
    first: u64,
    last: u64,
    /// What the summary takes over: priority, source, tags, host and container.
    example: Alert,
}

impl Aggregator {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(settings: AggregateSettings) -> Self {
        Self {
            settings,
            hasher: RandomState::new(),
            order: BTreeMap::new(),
            buckets: HashMap::new(),
            seen: HashMap::new(),
            seen_order: BTreeMap::new(),
            tick: 0,
            now: 0,
            counts: AggregateCounts::default(),
        }
    }

    /// What happened so far.
    #[must_use]
    pub fn counts(&self) -> AggregateCounts {
        self.counts
    }

    /// Takes an alert; appends it to `out` if it may pass, after the summaries that are due.
    pub fn offer(&mut self, alert: Alert, out: &mut Vec<Alert>) {
        self.advance(alert.time, out);
        let key = Key {
            rule: alert.rule.clone(),
            container: field(&alert, "container.id").unwrap_or_default(),
        };
        let repeated = self.is_repeated(&alert);
        self.make_room(&key, out);
        self.tick += 1;
        let tick = self.tick;
        let full = u128::from(self.settings.burst.max(1)) * u128::from(SECOND);
        let bucket = self.buckets.entry(key.clone()).or_insert(Bucket {
            tokens: full,
            filled: alert.time,
            tick,
            left_out: None,
        });
        self.order.remove(&bucket.tick);
        self.order.insert(tick, key);
        bucket.tick = tick;
        if repeated {
            self.counts.repeated += 1;
            bucket.leave_out(alert, true);
            return;
        }
        if self.settings.rate > 0.0 {
            bucket.refill(alert.time, self.settings.rate, full);
            let Some(tokens) = bucket.tokens.checked_sub(u128::from(SECOND)) else {
                self.counts.limited += 1;
                bucket.leave_out(alert, false);
                return;
            };
            bucket.tokens = tokens;
        }
        self.counts.passed += 1;
        out.push(alert);
    }

    /// Appends the summaries that are due at `now` (nanoseconds since the Unix epoch).
    pub fn advance(&mut self, now: u64, out: &mut Vec<Alert>) {
        let before = self.now;
        self.now = if now.saturating_add(DISORDER) < before {
            now
        } else {
            before.max(now)
        };
        // Looking at every pair at every alert would be slow; once a second is enough.
        if before != 0 && self.now >= before && self.now / SECOND == before / SECOND {
            return;
        }
        let now = self.now;
        let wait = self.settings.summary_seconds.saturating_mul(SECOND);
        let mut due: Vec<(u64, Alert)> = Vec::new();
        for (key, bucket) in &mut self.buckets {
            let is_due = bucket.left_out.as_ref().is_some_and(|left_out| {
                now >= left_out.first.saturating_add(wait) || now.saturating_add(DISORDER) < left_out.first
            });
            if is_due && let Some(left_out) = bucket.left_out.take() {
                due.push((left_out.first, left_out.summary(key, now)));
            }
        }
        due.sort_by(|a, b| (a.0, &a.1.output).cmp(&(b.0, &b.1.output)));
        out.extend(due.into_iter().map(|(_, summary)| summary));
    }

    /// Appends all summaries, at the end.
    pub fn finish(&mut self, out: &mut Vec<Alert>) {
        let now = self.now;
        let mut all: Vec<Alert> = self
            .buckets
            .iter_mut()
            .filter_map(|(key, bucket)| bucket.left_out.take().map(|left_out| left_out.summary(key, now)))
            .collect();
        all.sort_by(|a, b| a.output.cmp(&b.output));
        out.append(&mut all);
    }

    /// Makes room for one more pair: the one unused for longest goes, and what it left out is told.
    fn make_room(&mut self, key: &Key, out: &mut Vec<Alert>) {
        if self.buckets.contains_key(key) {
            return;
        }
        while self.buckets.len() >= self.settings.keys.max(1) {
            let Some((_, oldest)) = self.order.pop_first() else {
                return;
            };
            if let Some(bucket) = self.buckets.remove(&oldest)
                && let Some(left_out) = bucket.left_out
            {
                out.push(left_out.summary(&oldest, self.now));
            }
        }
    }

    /// Whether an alert that says the same passed within the window.
    fn is_repeated(&mut self, alert: &Alert) -> bool {
        let window = self.settings.duplicates_seconds.saturating_mul(SECOND);
        if window == 0 {
            return false;
        }
        let now = self.now;
        // What is too old goes first; a clock that was set back makes everything too old.
        while let Some((&(first, number), &identity)) = self.seen_order.first_key_value() {
            let alive = now < first.saturating_add(window) && now.saturating_add(DISORDER) >= first;
            if alive && self.seen.len() < self.settings.keys.max(1) {
                break;
            }
            self.seen_order.remove(&(first, number));
            self.seen.remove(&identity);
        }
        let identity = self.identity(alert);
        if self.seen.contains_key(&identity) {
            return true;
        }
        self.tick += 1;
        self.seen.insert(identity, now);
        self.seen_order.insert((now, self.tick), identity);
        false
    }

    /// Two independent hashes of what an alert says, save when.
    fn identity(&self, alert: &Alert) -> (u64, u64) {
        let hash = |salt: u8| {
            self.hasher
                .hash_one((salt, &alert.rule, &alert.source, &alert.hostname, &alert.output))
        };
        (hash(0), hash(1))
    }
}

impl Bucket {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "`as` saturates, and a billionth of an alert more or less does not matter"
    )]
    fn refill(&mut self, now: u64, rate: f64, full: u128) {
        if now.saturating_add(DISORDER) < self.filled {
            self.filled = now;
            return;
        }
        let elapsed = now.saturating_sub(self.filled);
        self.filled = self.filled.max(now);
        self.tokens = self
            .tokens
            .saturating_add((elapsed as f64 * rate) as u128)
            .min(full);
    }

    fn leave_out(&mut self, alert: Alert, repeated: bool) {
        let time = alert.time;
        let left_out = self.left_out.get_or_insert(LeftOut {
            limited: 0,
            repeated: 0,
            first: time,
            last: time,
            example: alert,
        });
        left_out.last = left_out.last.max(time);
        if repeated {
            left_out.repeated += 1;
        } else {
            left_out.limited += 1;
        }
    }
}

impl LeftOut {
    fn summary(self, key: &Key, now: u64) -> Alert {
        let total = self.limited + self.repeated;
        let mut place = match key.container.as_str() {
            "" | "host" => "on the host".to_owned(),
            container => format!("in container {container}"),
        };
        let name = field(&self.example, "container.name");
        if let Some(name) = name.as_ref().filter(|name| *name != "host") {
            place.push_str(&format!(" ({name})"));
        }
        let alerts = if total == 1 { "alert" } else { "alerts" };
        let mut fields = vec![
            ("suppressed.rule".to_owned(), FieldValue::Text(key.rule.clone())),
            ("suppressed.count".to_owned(), FieldValue::Uint(total)),
            (
                "suppressed.rate_limited".to_owned(),
                FieldValue::Uint(self.limited),
            ),
            ("suppressed.repeated".to_owned(), FieldValue::Uint(self.repeated)),
            ("suppressed.first".to_owned(), FieldValue::Uint(self.first)),
            ("suppressed.last".to_owned(), FieldValue::Uint(self.last)),
        ];
        fields.extend(
            self.example
                .fields
                .iter()
                .filter(|(name, _)| name.starts_with("container.") || name.starts_with("k8s."))
                .cloned(),
        );
        Alert {
            time: now.max(self.last),
            rule: SUMMARY_RULE.to_owned(),
            output: format!(
                "suppressed {total} {alerts} of rule {} {place} ({} over the rate limit, {} repeated)",
                key.rule, self.limited, self.repeated
            ),
            fields,
            ..self.example
        }
    }
}

fn field(alert: &Alert, name: &str) -> Option<String> {
    let (_, value) = alert.fields.iter().find(|(field, _)| field == name)?;
    match value {
        FieldValue::Text(text) => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::event::Priority;

    fn alert(rule: &str, container: &str, time: u64) -> Alert {
        Alert {
            time,
            rule: rule.to_owned(),
            priority: Priority::Warning,
            source: "syscall".to_owned(),
            tags: vec!["container".to_owned()],
            hostname: "node".to_owned(),
            output: format!("{rule} happened"),
            fields: vec![
                ("container.id".to_owned(), FieldValue::Text(container.to_owned())),
                (
                    "container.name".to_owned(),
                    FieldValue::Text(format!("{container}-name")),
                ),
            ],
        }
    }

    fn settings(rate: f64, burst: u32, duplicates_seconds: u64) -> AggregateSettings {
        AggregateSettings {
            rate,
            burst,
            duplicates_seconds,
            ..AggregateSettings::default()
        }
    }

    const START: u64 = 1_700_000_000 * SECOND;

    #[test]
    fn a_flood_is_limited_by_rule_and_container_and_told() {
        let mut aggregator = Aggregator::new(settings(1.0, 5, 0));
        let mut out = Vec::new();
        for moment in 0..100 {
            aggregator.offer(alert("Noise", "a", START + moment * SECOND / 100), &mut out);
        }
        aggregator.offer(alert("Noise", "b", START + SECOND), &mut out);
        aggregator.offer(alert("Quiet", "a", START + SECOND), &mut out);
        assert_eq!(out.len(), 5 + 2);
        // One token a second comes back.
        out.clear();
        for second in 2..10 {
            aggregator.offer(alert("Noise", "a", START + second * SECOND), &mut out);
        }
        assert_eq!(out.len(), 8);
        out.clear();
        aggregator.advance(START + 61 * SECOND, &mut out);
        assert_eq!(out.len(), 1);
        assert_eq!(
            out[0].output,
            "suppressed 95 alerts of rule Noise in container a (a-name) (95 over the rate limit, 0 repeated)"
        );
        assert_eq!(out[0].rule, SUMMARY_RULE);
        assert_eq!(out[0].priority, Priority::Warning);
        assert!(
            out[0]
                .fields
                .contains(&("suppressed.count".to_owned(), FieldValue::Uint(95)))
        );
        out.clear();
        aggregator.finish(&mut out);
        assert!(out.is_empty(), "told once");
        assert_eq!(
            aggregator.counts(),
            AggregateCounts {
                passed: 15,
                limited: 95,
                repeated: 0
            }
        );
    }

    #[test]
    fn repetitions_are_counted() {
        let mut aggregator = Aggregator::new(settings(0.0, 1, 30));
        let mut out = Vec::new();
        for second in 0..30 {
            aggregator.offer(alert("Same", "host", START + second * SECOND), &mut out);
        }
        assert_eq!(out.len(), 1);
        let mut other = alert("Same", "host", START + 30 * SECOND);
        other.output = "something else".to_owned();
        aggregator.offer(other, &mut out);
        assert_eq!(out.len(), 2);
        aggregator.offer(alert("Same", "host", START + 31 * SECOND), &mut out);
        assert_eq!(out.len(), 3, "the window is over");
        out.clear();
        aggregator.finish(&mut out);
        assert_eq!(out.len(), 1);
        assert!(
            out[0]
                .output
                .starts_with("suppressed 29 alerts of rule Same on the host"),
            "{}",
            out[0].output
        );
    }

    #[test]
    fn memory_is_bounded_and_nothing_is_forgotten_silently() {
        let mut aggregator = Aggregator::new(AggregateSettings {
            rate: 1.0,
            burst: 1,
            duplicates_seconds: 3600,
            keys: 10,
            ..AggregateSettings::default()
        });
        let mut out = Vec::new();
        let mut offered = 0;
        for round in 0..3 {
            for container in 0..1000_u64 {
                let mut one = alert("Noise", &container.to_string(), START + round);
                one.output = format!("{container} {round}");
                for _ in 0..2 {
                    aggregator.offer(one.clone(), &mut out);
                    offered += 1;
                }
            }
        }
        assert!(aggregator.buckets.len() <= 10 && aggregator.order.len() <= 10);
        assert!(aggregator.seen.len() <= 10 && aggregator.seen_order.len() <= 10);
        aggregator.finish(&mut out);
        let suppressed: u64 = out
            .iter()
            .filter(|alert| alert.rule == SUMMARY_RULE)
            .map(|alert| match alert.fields[1].1 {
                FieldValue::Uint(count) => count,
                _ => 0,
            })
            .sum();
        let passed = out.iter().filter(|alert| alert.rule != SUMMARY_RULE).count() as u64;
        assert_eq!(passed + suppressed, offered);
        let counts = aggregator.counts();
        assert_eq!(counts.passed, passed);
        assert_eq!(counts.limited + counts.repeated, suppressed);
    }

    #[test]
    fn clocks_that_are_set_stop_nothing() {
        let mut aggregator = Aggregator::new(settings(1.0, 1, 10));
        let mut out = Vec::new();
        // Far into the future, and back.
        aggregator.offer(alert("A", "a", START + 1_000_000_000 * SECOND), &mut out);
        aggregator.offer(alert("A", "a", START), &mut out);
        out.clear();
        for second in 1..100 {
            let mut one = alert("A", "a", START + second * SECOND);
            one.output = second.to_string();
            aggregator.offer(one, &mut out);
        }
        let passed = out.iter().filter(|alert| alert.rule == "A").count();
        assert!(passed >= 98, "{passed}");
        aggregator.advance(0, &mut out);
        aggregator.advance(u64::MAX, &mut out);
        aggregator.finish(&mut out);
    }

    #[test]
    fn small_disorder_is_no_step_back() {
        let mut aggregator = Aggregator::new(settings(1.0, 2, 0));
        let mut out = Vec::new();
        for offset in [5, 3, 4, 5, 1, 5] {
            aggregator.offer(alert("A", "a", START + offset * SECOND / 10), &mut out);
        }
        assert_eq!(out.len(), 2);
    }
}
