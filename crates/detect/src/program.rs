//! Compiled conditions: a graph in which each part is there once, and for each kind of event the part of the graph that its
//! type does not already decide.

use crate::check::Check;
use crate::filter::{DEEPEST, Expression};
use crate::names::Names;
use crate::operand::{CompileError, Operand};
use model::event::{Argument, EventType, EventView, Field, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// Words of a set of event types; there are fewer than 512.
const TYPE_WORDS: usize = 8;

/// A set of event types.
pub(crate) type TypeBits = [u64; TYPE_WORDS];

/// The number of a node of the graph.
pub(crate) type NodeId = u32;

pub(crate) const FALSE: NodeId = 0;
pub(crate) const TRUE: NodeId = 1;

const NO_SLOT: u32 = u32::MAX;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Node {
    False,
    True,
    And(Box<[NodeId]>),
    Or(Box<[NodeId]>),
    Not(NodeId),
    Check(u32),
    /// Holds for these event types.
    Types(Box<TypeBits>),
}

/// What makes a name of a macro, at a place in the condition, a node.
pub(crate) type Macros<'m> = dyn FnMut(&str, usize) -> Result<NodeId, CompileError> + 'm;

/// The graph while it is built.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    nodes: Vec<Node>,
    /// How deep each node is.
    depths: Vec<u32>,
    known: HashMap<Node, NodeId>,
    checks: Vec<Check>,
    /// The operands of each check.
    check_operands: Vec<(u32, u32)>,
    /// What a comparison as text became.
    known_checks: HashMap<String, NodeId>,
    operands: Vec<Operand>,
    known_operands: HashMap<Operand, u32>,
    names: Arc<Names>,
}

impl Builder {
    pub(crate) fn new(names: Arc<Names>) -> Self {
        let mut builder = Self {
            names,
            ..Self::default()
        };
        builder.intern(Node::False);
        builder.intern(Node::True);
        builder
    }

    fn intern(&mut self, node: Node) -> NodeId {
        if let Some(id) = self.known.get(&node) {
            return *id;
        }
        let below = match &node {
            Node::And(parts) | Node::Or(parts) => parts
                .iter()
                .map(|part| self.depths[*part as usize])
                .max()
                .unwrap_or(0),
            Node::Not(inner) => self.depths[*inner as usize],
            _ => 0,
        };
        let id = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.known.insert(node.clone(), id);
        self.nodes.push(node);
        self.depths.push(below + 1);
        id
    }

    fn operand(&mut self, operand: &Operand) -> u32 {
        if let Some(id) = self.known_operands.get(operand) {
            return *id;
        }
        let id = u32::try_from(self.operands.len()).unwrap_or(u32::MAX);
        self.operands.push(operand.clone());
        self.known_operands.insert(operand.clone(), id);
        id
    }

    /// The node of a condition. Macros are asked for by name. Conditions may be thousands of parts deep, so the parts that
    /// wait are kept on a stack of our own.
    pub(crate) fn add(
        &mut self,
        expression: &Expression,
        macros: &mut Macros<'_>,
    ) -> Result<NodeId, CompileError> {
        let mut open = vec![Step::Enter(expression)];
        let mut done: Vec<NodeId> = Vec::new();
        while let Some(step) = open.pop() {
            match step {
                Step::Enter(whole @ (Expression::And(parts) | Expression::Or(parts))) => {
                    open.push(Step::Leave(whole));
                    open.extend(parts.iter().rev().map(Step::Enter));
                }
                Step::Enter(whole @ Expression::Not(inner)) => {
                    open.push(Step::Leave(whole));
                    open.push(Step::Enter(inner));
                }
                Step::Enter(Expression::Macro { name, at }) => {
                    let id = self.add_macro(name, *at, macros)?;
                    done.push(id);
                }
                Step::Enter(Expression::Check(check)) => {
                    let id = self.add_check(check)?;
                    done.push(id);
                }
                Step::Leave(Expression::And(parts)) => {
                    let ids = done.split_off(done.len() - parts.len());
                    done.push(self.all(ids));
                }
                Step::Leave(Expression::Or(parts)) => {
                    let ids = done.split_off(done.len() - parts.len());
                    done.push(self.any(ids));
                }
                Step::Leave(_) => {
                    let inner = done.pop().unwrap_or(FALSE);
                    done.push(self.not(inner));
                }
            }
        }
        Ok(done.pop().unwrap_or(FALSE))
    }

    fn add_macro(&mut self, name: &str, at: usize, macros: &mut Macros<'_>) -> Result<NodeId, CompileError> {
        let id = macros(name, at)?;
        if self.depths[id as usize] as usize > DEEPEST {
            return Err(CompileError::other(
                at,
                format!("macros are nested deeper than {DEEPEST} in `{name}`"),
            ));
        }
        Ok(id)
    }

    fn add_check(&mut self, check: &crate::filter::Check) -> Result<NodeId, CompileError> {
        let text = check.to_string();
        if let Some(id) = self.known_checks.get(&text) {
            return Ok(*id);
        }
        let compiled = Check::compile(check, &self.names)?;
        let id = match compiled.known() {
            Some(true) => TRUE,
            Some(false) => FALSE,
            None => match type_bits(&compiled) {
                Some(bits) => self.types(bits),
                None => {
                    let left = self.operand(&compiled.left);
                    let right = match &compiled.right {
                        Some(right) => self.operand(right),
                        None => NO_SLOT,
                    };
                    let number = u32::try_from(self.checks.len()).unwrap_or(u32::MAX);
                    self.checks.push(compiled);
                    self.check_operands.push((left, right));
                    self.intern(Node::Check(number))
                }
            },
        };
        self.known_checks.insert(text, id);
        Ok(id)
    }

    fn types(&mut self, bits: TypeBits) -> NodeId {
        if bits == [0; TYPE_WORDS] {
            return FALSE;
        }
        if EventType::all().all(|kind| has_type(&bits, kind)) {
            return TRUE;
        }
        self.intern(Node::Types(Box::new(bits)))
    }

    fn all(&mut self, parts: Vec<NodeId>) -> NodeId {
        let mut kept: Vec<NodeId> = Vec::with_capacity(parts.len());
        let mut seen = std::collections::HashSet::with_capacity(parts.len());
        for part in parts {
            match part {
                FALSE => return FALSE,
                TRUE => {}
                part => {
                    if seen.insert(part) {
                        kept.push(part);
                    }
                }
            }
        }
        match kept.as_slice() {
            [] => TRUE,
            [only] => *only,
            _ => self.intern(Node::And(kept.into())),
        }
    }

    fn any(&mut self, parts: Vec<NodeId>) -> NodeId {
        let mut kept: Vec<NodeId> = Vec::with_capacity(parts.len());
        let mut seen = std::collections::HashSet::with_capacity(parts.len());
        for part in parts {
            match part {
                TRUE => return TRUE,
                FALSE => {}
                part => {
                    if seen.insert(part) {
                        kept.push(part);
                    }
                }
            }
        }
        match kept.as_slice() {
            [] => FALSE,
            [only] => *only,
            _ => self.intern(Node::Or(kept.into())),
        }
    }

    fn not(&mut self, inner: NodeId) -> NodeId {
        match &self.nodes[inner as usize] {
            Node::False => TRUE,
            Node::True => FALSE,
            Node::Not(inner) => *inner,
            _ => self.intern(Node::Not(inner)),
        }
    }

    /// The event types for which a condition can hold.
    pub(crate) fn possible_types(&mut self, root: NodeId) -> TypeBits {
        let mut bits = [0; TYPE_WORDS];
        for class in self.classes(&[root]) {
            if self.specialise_one(root, class.types[0]) != FALSE {
                for kind in class.types {
                    put_type(&mut bits, kind);
                }
            }
        }
        bits
    }

    /// Groups event types that the conditions cannot tell apart.
    fn classes(&self, roots: &[NodeId]) -> Vec<Class> {
        let mut sets: Vec<&TypeBits> = Vec::new();
        let mut seen = vec![false; self.nodes.len()];
        let mut open = roots.to_vec();
        while let Some(id) = open.pop() {
            if std::mem::replace(&mut seen[id as usize], true) {
                continue;
            }
            match &self.nodes[id as usize] {
                Node::And(parts) | Node::Or(parts) => open.extend_from_slice(parts),
                Node::Not(inner) => open.push(*inner),
                Node::Types(bits) => sets.push(bits),
                Node::False | Node::True | Node::Check(_) => {}
            }
        }
        let mut index: HashMap<Vec<bool>, usize> = HashMap::new();
        let mut classes: Vec<Class> = Vec::new();
        for kind in EventType::all() {
            let signature: Vec<bool> = sets.iter().map(|bits| has_type(bits, kind)).collect();
            let next = classes.len();
            let class = *index.entry(signature).or_insert(next);
            if class == next {
                classes.push(Class { types: Vec::new() });
            }
            classes[class].types.push(kind);
        }
        classes
    }

    fn specialise_one(&mut self, root: NodeId, kind: EventType) -> NodeId {
        let mut memo = HashMap::new();
        self.specialise(root, kind, &mut memo)
    }

    /// What is left of a condition once the event type is known.
    fn specialise(&mut self, root: NodeId, kind: EventType, memo: &mut HashMap<NodeId, NodeId>) -> NodeId {
        let mut open = vec![root];
        while let Some(&id) = open.last() {
            if memo.contains_key(&id) {
                open.pop();
                continue;
            }
            let (parts, is_and) = match &self.nodes[id as usize] {
                Node::False | Node::True | Node::Check(_) => {
                    memo.insert(id, id);
                    continue;
                }
                Node::Types(bits) => {
                    let holds = if has_type(bits, kind) { TRUE } else { FALSE };
                    memo.insert(id, holds);
                    continue;
                }
                Node::Not(inner) => {
                    let inner = *inner;
                    match memo.get(&inner).copied() {
                        Some(inner) => {
                            let negated = self.not(inner);
                            memo.insert(id, negated);
                        }
                        None => open.push(inner),
                    }
                    continue;
                }
                Node::And(parts) => (parts, true),
                Node::Or(parts) => (parts, false),
            };
            let waiting = open.len();
            open.extend(parts.iter().filter(|part| !memo.contains_key(part)));
            if open.len() > waiting {
                continue;
            }
            let left = parts.iter().filter_map(|part| memo.get(part).copied()).collect();
            let result = if is_and { self.all(left) } else { self.any(left) };
            memo.insert(id, result);
        }
        memo.get(&root).copied().unwrap_or(FALSE)
    }

    /// For each kind of event the rules that can match it, with what is left of their conditions, in order.
    pub(crate) fn dispatch(&mut self, rules: &[(u32, NodeId)]) -> Dispatch {
        let roots: Vec<NodeId> = rules.iter().map(|(_, root)| *root).collect();
        let mut dispatch = Dispatch {
            class_of: vec![0; TYPE_WORDS * 64],
            classes: vec![Vec::new()],
        };
        for class in self.classes(&roots) {
            let mut memo = HashMap::new();
            let mut left: Vec<(u32, NodeId)> = Vec::new();
            for (rule, root) in rules {
                let root = self.specialise(*root, class.types[0], &mut memo);
                if root != FALSE {
                    left.push((*rule, root));
                }
            }
            if left.is_empty() {
                continue;
            }
            let number = u16::try_from(dispatch.classes.len()).unwrap_or(0);
            for kind in class.types {
                if let Some(slot) = dispatch.class_of.get_mut(usize::from(kind.0)) {
                    *slot = number;
                }
            }
            dispatch.classes.push(left);
        }
        dispatch
    }

    /// Ends building.
    pub(crate) fn finish<'d>(self, dispatches: impl Iterator<Item = &'d Dispatch>) -> Program {
        // What is asked more than once is remembered within an event.
        let mut asked = vec![0_u8; self.nodes.len()];
        for dispatch in dispatches {
            for class in &dispatch.classes {
                let mut open: Vec<NodeId> = class.iter().map(|(_, root)| *root).collect();
                let mut seen = std::collections::HashSet::new();
                let mut here: HashMap<NodeId, u32> = HashMap::new();
                while let Some(id) = open.pop() {
                    *here.entry(id).or_default() += 1;
                    if !seen.insert(id) {
                        continue;
                    }
                    match &self.nodes[id as usize] {
                        Node::And(parts) | Node::Or(parts) => open.extend_from_slice(parts),
                        Node::Not(inner) => open.push(*inner),
                        _ => {}
                    }
                }
                for (id, times) in here {
                    if times > 1 {
                        asked[id as usize] = 2;
                    }
                }
            }
        }
        let mut slots = 0;
        let memo = asked
            .iter()
            .zip(&self.nodes)
            .map(|(asked, node)| {
                let worth = matches!(node, Node::And(_) | Node::Or(_) | Node::Check(_));
                if *asked > 1 && worth {
                    slots += 1;
                    slots - 1
                } else {
                    NO_SLOT
                }
            })
            .collect();
        Program {
            nodes: self.nodes,
            memo,
            slots: slots as usize,
            checks: self.checks,
            check_operands: self.check_operands,
            operands: self.operands,
        }
    }
}

/// A part of a condition that is to be put in, or one whose parts are.
enum Step<'e> {
    Enter(&'e Expression),
    Leave(&'e Expression),
}

struct Class {
    types: Vec<EventType>,
}

/// The event types for which a comparison holds, when the type alone decides it.
fn type_bits(check: &Check) -> Option<TypeBits> {
    if check.right.is_some() {
        return None;
    }
    let mut bits = [0; TYPE_WORDS];
    for kind in EventType::all() {
        let value = check.left.value_of_type(kind)?;
        if check.holds(&value, None) {
            put_type(&mut bits, kind);
        }
    }
    Some(bits)
}

fn put_type(bits: &mut TypeBits, kind: EventType) {
    if let Some(word) = bits.get_mut(usize::from(kind.0 >> 6)) {
        *word |= 1 << (kind.0 & 63);
    }
}

/// Whether a set has an event type.
pub(crate) fn has_type(bits: &TypeBits, kind: EventType) -> bool {
    bits.get(usize::from(kind.0 >> 6))
        .is_some_and(|word| word & (1 << (kind.0 & 63)) != 0)
}

/// Which rules to ask for which event.
#[derive(Debug)]
pub(crate) struct Dispatch {
    /// The class of each event type; class 0 has no rules.
    class_of: Vec<u16>,
    classes: Vec<Vec<(u32, NodeId)>>,
}

impl Dispatch {
    /// The rules that can match an event of a type, and their conditions.
    pub(crate) fn rules(&self, kind: EventType) -> &[(u32, NodeId)] {
        let class = self
            .class_of
            .get(usize::from(kind.0))
            .copied()
            .unwrap_or_default();
        self.classes.get(usize::from(class)).map_or(&[], Vec::as_slice)
    }
}

/// The graph.
#[derive(Debug)]
pub(crate) struct Program {
    nodes: Vec<Node>,
    memo: Vec<u32>,
    slots: usize,
    checks: Vec<Check>,
    check_operands: Vec<(u32, u32)>,
    operands: Vec<Operand>,
}

impl Program {
    /// What conditions ask events for.
    pub(crate) fn operands(&self) -> &[Operand] {
        &self.operands
    }

    /// Whether a condition can hold for some event of a type that answers these fields so.
    pub(crate) fn can_hold(&self, root: NodeId, kind: EventType, known: &[(Field, Value<'_>)]) -> bool {
        self.outcomes(root, kind, known, &mut HashMap::new()).0
    }

    /// Whether a condition can hold, and whether it can fail. Conditions are at most a thousand parts deep.
    fn outcomes(
        &self,
        id: NodeId,
        kind: EventType,
        known: &[(Field, Value<'_>)],
        memo: &mut HashMap<NodeId, (bool, bool)>,
    ) -> (bool, bool) {
        if let Some(found) = memo.get(&id) {
            return *found;
        }
        let certain = |holds: bool| (holds, !holds);
        let outcomes = match &self.nodes[id as usize] {
            Node::False => certain(false),
            Node::True => certain(true),
            Node::Types(bits) => certain(has_type(bits, kind)),
            Node::Not(inner) => {
                let (holds, fails) = self.outcomes(*inner, kind, known, memo);
                (fails, holds)
            }
            Node::And(parts) => parts.iter().fold((true, false), |(holds, fails), part| {
                let part = self.outcomes(*part, kind, known, memo);
                (holds && part.0, fails || part.1)
            }),
            Node::Or(parts) => parts.iter().fold((false, true), |(holds, fails), part| {
                let part = self.outcomes(*part, kind, known, memo);
                (holds || part.0, fails && part.1)
            }),
            Node::Check(number) => {
                let check = &self.checks[*number as usize];
                let answer = match &check.left {
                    Operand::Field(field, Argument::None) if check.right.is_none() => {
                        known.iter().find(|(name, _)| name == field)
                    }
                    _ => None,
                };
                answer.map_or((true, true), |(_, value)| certain(check.holds(value, None)))
            }
        };
        memo.insert(id, outcomes);
        outcomes
    }
}

/// What is remembered while an event is asked; used again for the next event.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Counts events; what was remembered for another event is not valid.
    epoch: u32,
    /// For each slot: the epoch, shifted left by one, and the answer.
    memo: Vec<u32>,
    /// For each operand: the epoch and where in `values` it stands.
    fetched: Vec<(u32, u32)>,
    /// Empty between events; kept for its memory.
    values: Vec<Value<'static>>,
}

/// One event that is being asked.
pub(crate) struct Asking<'p, 'e> {
    program: &'p Program,
    scratch: &'p mut Scratch,
    values: Vec<Value<'e>>,
    event: &'e dyn EventView,
}

/// The same memory for values of another lifetime.
fn recycle<'to>(mut values: Vec<Value<'_>>) -> Vec<Value<'to>> {
    values.clear();
    // Collecting in place keeps the allocation.
    values.into_iter().map(|_| Value::Absent).collect()
}

impl<'p, 'e> Asking<'p, 'e> {
    pub(crate) fn new(program: &'p Program, scratch: &'p mut Scratch, event: &'e dyn EventView) -> Self {
        scratch.epoch = scratch.epoch.wrapping_add(1) & (u32::MAX >> 1);
        if scratch.epoch == 0
            || scratch.memo.len() != program.slots
            || scratch.fetched.len() != program.operands.len()
        {
            scratch.epoch = 1;
            scratch.memo = vec![0; program.slots];
            scratch.fetched = vec![(0, 0); program.operands.len()];
        }
        let values = recycle(std::mem::take(&mut scratch.values));
        Self {
            program,
            scratch,
            values,
            event,
        }
    }

    /// Gives the memory back.
    pub(crate) fn done(self) {
        self.scratch.values = recycle(self.values);
    }

    /// Whether a condition holds. Conditions are at most a thousand parts deep.
    pub(crate) fn holds(&mut self, id: NodeId) -> bool {
        let slot = self.program.memo[id as usize];
        if slot != NO_SLOT {
            let known = self.scratch.memo[slot as usize];
            if known >> 1 == self.scratch.epoch {
                return known & 1 == 1;
            }
        }
        let program = self.program;
        let holds = match &program.nodes[id as usize] {
            Node::False => false,
            Node::True => true,
            Node::And(parts) => parts.iter().all(|part| self.holds(*part)),
            Node::Or(parts) => parts.iter().any(|part| self.holds(*part)),
            Node::Not(inner) => !self.holds(*inner),
            Node::Check(check) => self.check(*check),
            Node::Types(bits) => has_type(bits, self.event.event_type()),
        };
        if slot != NO_SLOT {
            self.scratch.memo[slot as usize] = self.scratch.epoch << 1 | u32::from(holds);
        }
        holds
    }

    fn check(&mut self, number: u32) -> bool {
        let program = self.program;
        let check = &program.checks[number as usize];
        let (left, right) = program.check_operands[number as usize];
        let left = self.fetch(left);
        if right == NO_SLOT {
            return check.holds(&self.values[left], None);
        }
        let right = self.fetch(right);
        check.holds(&self.values[left], Some(&self.values[right]))
    }

    fn fetch(&mut self, operand: u32) -> usize {
        let (epoch, at) = self.scratch.fetched[operand as usize];
        if epoch == self.scratch.epoch {
            return at as usize;
        }
        let value = self.program.operands[operand as usize].value(self.event);
        let at = self.values.len();
        self.values.push(value);
        self.scratch.fetched[operand as usize] = (self.scratch.epoch, u32::try_from(at).unwrap_or(u32::MAX));
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_for_values_is_used_again() {
        let first: Vec<Value<'_>> = Vec::with_capacity(40);
        let address = first.as_ptr() as usize;
        let again: Vec<Value<'static>> = recycle(first);
        assert_eq!(again.as_ptr() as usize, address);
        assert!(again.capacity() >= 40);
    }
}
