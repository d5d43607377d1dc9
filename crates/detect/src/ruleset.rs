//! A set of compiled rules, and what asks events against it.

use crate::filter::Expression;
use crate::names::Names;
use crate::output::Output;
use crate::program::{Asking, Builder, Dispatch, NodeId, Program, Scratch, TypeBits, has_type};
use model::event::{Alert, Argument, EventType, EventView, Field, Priority, Value};
use std::collections::hash_map::RandomState;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher as _, Hasher as _};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Parts that a condition with its macros put in may have when it is shown.
const MOST_SHOWN: usize = 100_000;

/// A rule of a [`RuleSet`], by its place in load order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub u32);

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The event source whose events it is about.
    pub source: String,
    /// How pressing its alerts are.
    pub priority: Priority,
    /// Its tags, sorted.
    pub tags: Vec<String>,
    /// Whether it runs: by itself, by its tags, and by its priority.
    pub enabled: bool,
    /// The file that defines it.
    pub file: String,
    /// The line of that file, from 1.
    pub line: usize,
    /// Its output format as it is written.
    pub format: String,
    /// Whether a match starts a capture of events.
    pub capture: bool,
    /// How long that capture lasts, in milliseconds.
    pub capture_duration: Option<u64>,
    pub(crate) types: TypeBits,
    pub(crate) expression: Arc<Expression>,
    pub(crate) output: Output,
}

impl Rule {
    /// The event types that it can match.
    #[must_use]
    pub fn event_types(&self) -> BTreeSet<EventType> {
        EventType::all()
            .filter(|kind| has_type(&self.types, *kind))
            .collect()
    }

    /// The condition with lists put in and macros as names.
    #[must_use]
    pub fn condition(&self) -> &Expression {
        &self.expression
    }

    /// The fields of the output, with those appended, as they are written.
    #[must_use]
    pub fn output_fields(&self) -> Vec<&str> {
        self.output.field_names()
    }

    /// The techniques of MITRE ATT&CK among the tags, such as `T1059` or `T1552.001`.
    pub fn techniques(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().map(String::as_str).filter(|tag| {
            let digits =
                |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
            let Some(number) = tag.strip_prefix('T') else {
                return false;
            };
            match number.split_once('.') {
                Some((technique, part)) => digits(technique, 4) && digits(part, 3),
                None => digits(number, 4),
            }
        })
    }
}

/// A rule before the set is complete.
pub(crate) struct Candidate {
    pub(crate) rule: Rule,
    pub(crate) root: NodeId,
}

/// Compiled rules. Any number of threads can ask events against one set, each with its own [`Evaluator`].
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    matched: Vec<AtomicU64>,
    timings: Vec<Timing>,
    program: Program,
    sources: Vec<(String, Dispatch)>,
    macros: HashMap<String, Arc<Expression>>,
    names: Arc<Names>,
    fields: HashSet<(Field, Argument)>,
    all_matches: bool,
}

pub(crate) fn build(
    mut builder: Builder,
    candidates: Vec<Candidate>,
    macros: HashMap<String, Arc<Expression>>,
    names: Arc<Names>,
    all_matches: bool,
) -> RuleSet {
    let mut by_source: Vec<(String, Vec<(u32, NodeId)>)> = Vec::new();
    let mut rules = Vec::with_capacity(candidates.len());
    for (number, candidate) in (0_u32..).zip(candidates) {
        let rule = candidate.rule;
        if rule.enabled {
            let entry = (number, candidate.root);
            match by_source.iter_mut().find(|(name, _)| *name == rule.source) {
                Some((_, list)) => list.push(entry),
                None => by_source.push((rule.source.clone(), vec![entry])),
            }
        }
        rules.push(rule);
    }
    // Rules that name no event types are asked last, as Falco does.
    let everything = |rule: &Rule| EventType::all().all(|kind| has_type(&rule.types, kind));
    for (_, list) in &mut by_source {
        list.sort_by_key(|(number, _)| everything(&rules[*number as usize]));
    }
    let sources: Vec<(String, Dispatch)> = by_source
        .into_iter()
        .map(|(name, list)| (name, builder.dispatch(&list)))
        .collect();
    let program = builder.finish(sources.iter().map(|(_, dispatch)| dispatch));
    let mut fields = HashSet::new();
    for operand in program.operands() {
        operand.visit_fields(&mut |field, argument| {
            fields.insert((field, argument.clone()));
        });
    }
    for rule in rules.iter().filter(|rule| rule.enabled) {
        rule.output.visit_fields(&mut |field, argument| {
            fields.insert((field, argument.clone()));
        });
    }
    RuleSet {
        matched: rules.iter().map(|_| AtomicU64::new(0)).collect(),
        timings: rules.iter().map(|_| Timing::default()).collect(),
        rules,
        program,
        sources,
        macros,
        names,
        fields,
        all_matches,
    }
}

impl RuleSet {
    /// All rules in load order; those that do not run too.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// A rule.
    #[must_use]
    pub fn rule(&self, id: RuleId) -> Option<&Rule> {
        self.rules.get(id.0 as usize)
    }

    /// The rule with a name, and its number.
    #[must_use]
    pub fn rule_named(&self, name: &str) -> Option<(RuleId, &Rule)> {
        (0..)
            .map(RuleId)
            .zip(&self.rules)
            .find(|(_, rule)| rule.name == name)
    }

    /// The sources that have a rule that runs.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(|(name, _)| name.as_str())
    }

    /// The event types of a source that its rules need; others need not be collected for them.
    #[must_use]
    pub fn event_types(&self, source: &str) -> BTreeSet<EventType> {
        let Some((_, dispatch)) = self.sources.iter().find(|(name, _)| name == source) else {
            return BTreeSet::new();
        };
        EventType::all()
            .filter(|kind| !dispatch.rules(*kind).is_empty())
            .collect()
    }

    /// Whether any rule of a source can match an event of a type that answers these fields so, whatever it answers
    /// otherwise. What cannot be matched need not be collected.
    #[must_use]
    pub fn can_match(&self, source: &str, kind: EventType, known: &[(Field, Value<'_>)]) -> bool {
        self.sources
            .iter()
            .filter(|(name, _)| name == source)
            .flat_map(|(_, dispatch)| dispatch.rules(kind))
            .any(|(_, root)| self.program.can_hold(*root, kind, known))
    }

    /// Whether any condition, or the output of a rule that runs, asks for a field.
    #[must_use]
    pub fn uses(&self, field: Field) -> bool {
        self.fields.iter().any(|(used, _)| *used == field)
    }

    /// Every field that is asked for, with each argument.
    pub fn fields(&self) -> impl Iterator<Item = (Field, &Argument)> {
        self.fields.iter().map(|(field, argument)| (*field, argument))
    }

    /// The domain names that rules compare addresses with. Who runs the rules looks them up and says the answer with
    /// [`RuleSet::set_resolved`]; until then they equal no address.
    #[must_use]
    pub fn names_to_resolve(&self) -> Vec<String> {
        self.names.list()
    }

    /// Says which addresses a name stands for from now on.
    pub fn set_resolved(&self, name: &str, addresses: &[IpAddr]) {
        self.names.set(name, addresses);
    }

    /// How many events each rule matched, in load order.
    #[must_use]
    pub fn matches(&self) -> Vec<u64> {
        self.matched
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .collect()
    }

    /// How often each rule was asked and how long that took, in load order: what was measured, times as many events as each
    /// measured one stands for. All zero unless evaluators are [`Evaluator::timed`].
    #[must_use]
    pub fn times(&self) -> Vec<RuleTime> {
        self.timings
            .iter()
            .map(|timing| RuleTime {
                asked: timing.asked.load(Ordering::Relaxed),
                time: Duration::from_nanos(timing.nanoseconds.load(Ordering::Relaxed)),
            })
            .collect()
    }

    /// The condition of a rule with its macros put in. Where that would be larger than a hundred thousand parts, macros
    /// stay names.
    #[must_use]
    pub fn expanded(&self, rule: &Rule) -> Expression {
        let mut left = MOST_SHOWN;
        self.expand(&rule.expression, &mut left, 0)
    }

    fn expand(&self, expression: &Expression, left: &mut usize, depth: usize) -> Expression {
        *left = left.saturating_sub(1);
        match expression {
            Expression::And(parts) => {
                Expression::all(parts.iter().map(|part| self.expand(part, left, depth)).collect())
            }
            Expression::Or(parts) => {
                Expression::any(parts.iter().map(|part| self.expand(part, left, depth)).collect())
            }
            Expression::Not(inner) => self.expand(inner, left, depth).negated(),
            Expression::Macro { name, .. } => match self.macros.get(name) {
                // Macros deeper than this stay names, so that the call stack stays small.
                Some(inner) if *left > 0 && depth < 64 => self.expand(inner, left, depth + 1),
                _ => expression.clone(),
            },
            Expression::Check(_) => expression.clone(),
        }
    }

    /// The alert of a rule for an event that it matches.
    #[must_use]
    pub fn to_alert(&self, id: RuleId, event: &dyn EventView, hostname: &str) -> Option<Alert> {
        let rule = self.rule(id)?;
        let (output, fields) = rule.output.render(event, &self.names);
        Some(Alert {
            time: event.time(),
            rule: rule.name.clone(),
            priority: rule.priority,
            source: rule.source.clone(),
            tags: rule.tags.clone(),
            hostname: hostname.to_owned(),
            output,
            fields,
        })
    }
}

/// How much a rule was asked and how long that took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RuleTime {
    /// Events that it was asked about.
    pub asked: u64,
    /// Time spent on its condition. What several rules ask is counted with the first.
    pub time: Duration,
}

/// What is added up of a rule by all threads.
#[derive(Debug, Default)]
struct Timing {
    asked: AtomicU64,
    nanoseconds: AtomicU64,
}

/// Chooses the events that are timed: on average one of `every`, at distances by chance, since events come in patterns.
#[derive(Debug)]
struct Sampling {
    every: u32,
    random: u64,
    /// What reading the clock takes by itself, in nanoseconds.
    clock: u64,
}

impl Sampling {
    fn new(every: u32) -> Self {
        let clock = (0..32)
            .map(|_| Instant::now().elapsed())
            .min()
            .map_or(0, nanoseconds);
        Self {
            every: every.max(1),
            random: RandomState::new().build_hasher().finish() | 1,
            clock,
        }
    }

    /// How many events further the next one is that is timed: between 1 and twice the average.
    fn distance(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        // The low bits of such numbers are the weaker ones.
        (self.random >> 16) % (2 * u64::from(self.every) - 1) + 1
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Asks events against a set of rules, on one thread.
#[derive(Debug)]
pub struct Evaluator {
    rules: Arc<RuleSet>,
    scratch: Scratch,
    sampling: Option<Sampling>,
    /// Events until the next one that is timed.
    until_timed: u64,
}

impl Evaluator {
    /// Asks against these rules.
    #[must_use]
    pub fn new(rules: Arc<RuleSet>) -> Self {
        Self {
            rules,
            scratch: Scratch::default(),
            sampling: None,
            until_timed: u64::MAX,
        }
    }

    /// Also measures how long rules take, for about one event of `every`, which stands for as many: [`RuleSet::times`].
    #[must_use]
    pub fn timed(mut self, every: u32) -> Self {
        let mut sampling = Sampling::new(every);
        self.until_timed = sampling.distance();
        self.sampling = Some(sampling);
        self
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &Arc<RuleSet> {
        &self.rules
    }

    /// Gives every rule that fires for the event: the first that matches, or all. Rules are asked in load order, those that
    /// name no event types last.
    pub fn evaluate(&mut self, event: &dyn EventView, fires: impl FnMut(RuleId)) {
        let rules = &*self.rules;
        let source = event.source();
        let Some((_, dispatch)) = rules.sources.iter().find(|(name, _)| name == source) else {
            return;
        };
        let candidates = dispatch.rules(event.event_type());
        if candidates.is_empty() {
            return;
        }
        self.until_timed -= 1;
        let asking = Asking::new(&rules.program, &mut self.scratch, event);
        if self.until_timed > 0 {
            ask(rules, candidates, asking, fires, None);
            return;
        }
        self.until_timed = self.sampling.as_mut().map_or(u64::MAX, Sampling::distance);
        ask(rules, candidates, asking, fires, self.sampling.as_ref());
    }
}

#[inline]
fn ask(
    rules: &RuleSet,
    candidates: &[(u32, NodeId)],
    mut asking: Asking<'_, '_>,
    mut fires: impl FnMut(RuleId),
    sampling: Option<&Sampling>,
) {
    for (number, root) in candidates {
        let index = *number as usize;
        let started = sampling.map(|_| Instant::now());
        let holds = asking.holds(*root);
        if let (Some(started), Some(sampling), Some(timing)) = (started, sampling, rules.timings.get(index)) {
            let took = nanoseconds(started.elapsed()).saturating_sub(sampling.clock);
            let every = u64::from(sampling.every);
            timing.asked.fetch_add(every, Ordering::Relaxed);
            timing
                .nanoseconds
                .fetch_add(took.saturating_mul(every), Ordering::Relaxed);
        }
        if holds {
            if let Some(count) = rules.matched.get(index) {
                count.fetch_add(1, Ordering::Relaxed);
            }
            fires(RuleId(*number));
            if !rules.all_matches {
                break;
            }
        }
    }
    asking.done();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_event::TestEvent;
    use crate::{LoadOptions, Loader};

    fn rules() -> Arc<RuleSet> {
        let mut loader = Loader::new(LoadOptions::default()).unwrap();
        let result = loader.add(
            "rules.yaml",
            b"- {rule: A, desc: d, condition: evt.type = open and proc.name = a, output: o, priority: INFO}\n\
              - {rule: B, desc: d, condition: evt.type = open and proc.name = b, output: o, priority: INFO}\n\
              - {rule: C, desc: d, condition: evt.type = kill, output: o, priority: INFO}\n",
        );
        assert!(result.errors.is_empty());
        Arc::new(loader.finish())
    }

    #[test]
    fn what_is_timed_stands_for_what_is_not() {
        const EVENTS: u64 = 200_000;
        let rules = rules();
        let mut evaluator = Evaluator::new(Arc::clone(&rules)).timed(16);
        let (first, second) = (
            TestEvent::new("open").text("proc.name", "a"),
            TestEvent::new("open").text("proc.name", "b"),
        );
        for _ in 0..EVENTS / 2 {
            evaluator.evaluate(&first, |_| {});
            evaluator.evaluate(&second, |_| {});
        }
        assert_eq!(rules.matches(), [EVENTS / 2, EVENTS / 2, 0]);
        let times = rules.times();
        // 12,500 of the events are timed, so by chance the sum is one or two hundredths off; rule B is not asked about what A
        // matched, which every second event does, whatever pattern the events come in.
        for (time, expected) in times.iter().zip([EVENTS, EVENTS / 2, 0]) {
            let off = time.asked.abs_diff(expected);
            assert!(off <= expected / 10, "{} for {expected}", time.asked);
            assert_eq!(time.asked % 16, 0);
        }
        assert!(times[0].time > Duration::ZERO);
        assert_eq!(times[2], RuleTime::default());
    }

    #[test]
    fn nothing_is_timed_unless_asked_for() {
        let rules = rules();
        let mut evaluator = Evaluator::new(Arc::clone(&rules));
        for _ in 0..10_000 {
            evaluator.evaluate(&TestEvent::new("open").text("proc.name", "a"), |_| {});
        }
        assert!(rules.times().iter().all(|time| *time == RuleTime::default()));
    }
}
