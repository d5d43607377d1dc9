//! Comparisons: what a rule compares with, made ready once, and the answer for a value.

use crate::filter::{self, Modifier, Operator, Right};
use crate::names::Names;
use crate::operand::{CompileError, ErrorKind, Operand, Type, event_type, text_of, up_to_nul};
use crate::pattern::{Glob, PathPrefixes, TextSet};
use memchr::memmem::Finder;
use model::event::{Argument, Field, FieldKind, Value};
use regex::bytes::{Regex, RegexBuilder};
use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

/// Memory that one regular expression may take, in bytes.
const LARGEST_REGEX: usize = 4 << 20;

/// A comparison, ready.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) left: Operand,
    /// Whether all values of a list must satisfy the test (`in`), not any.
    all: bool,
    test: Test,
    /// The right side when it is a field or transformer.
    pub(crate) right: Option<Operand>,
}

#[derive(Debug)]
enum Test {
    Exists,
    /// Equal up to the first NUL, or not.
    TextEqual {
        text: Box<[u8]>,
        negated: bool,
    },
    TextIn(TextSet),
    TextOrder(Operator, Box<[u8]>),
    Contains(Finder<'static>),
    /// The text in lower case.
    ContainsIgnoringCase(Box<[u8]>),
    StartsWith(Box<[u8]>),
    EndsWith(Box<[u8]>),
    Glob(Glob),
    Regex(Box<Regex>),
    Paths(PathPrefixes),
    BytesEqual {
        bytes: Box<[u8]>,
        negated: bool,
    },
    Number(Operator, i128),
    NumberIn(Vec<i128>),
    Truth {
        truths: [bool; 2],
    },
    Address {
        set: AddressSet,
        negated: bool,
    },
    Name {
        names: Arc<Names>,
        indexes: Vec<usize>,
        addresses: AddressSet,
        negated: bool,
    },
    /// Several tests of which so many must hold.
    Several(Modifier, Vec<Self>),
    /// The right side is a value too.
    Values(Operator, FieldKind),
}

/// Addresses and networks.
#[derive(Debug, Default)]
struct AddressSet {
    addresses: HashSet<IpAddr>,
    networks: Vec<Network>,
}

/// A network: its address with all bits beyond the prefix cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: u128,
    mask: u128,
    is_v4: bool,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let (bits, is_v4) = bits(address);
        let width: u32 = if is_v4 { 32 } else { 128 };
        let prefix: u32 = match prefix.parse() {
            Ok(prefix) => prefix,
            // A mask is written as an address: 10.0.0.0/255.0.0.0.
            Err(_) => {
                let mask: IpAddr = prefix.parse().ok()?;
                let (mask, mask_is_v4) = self::bits(mask);
                let ones = if is_v4 {
                    u32::try_from(mask).ok()?.leading_ones()
                } else {
                    mask.leading_ones()
                };
                if mask_is_v4 != is_v4 || mask.count_ones() != ones {
                    return None;
                }
                ones
            }
        };
        if prefix > width {
            return None;
        }
        let mask = match (is_v4, prefix) {
            (_, 0) => 0,
            (true, _) => u128::from(u32::MAX << (32 - prefix)),
            (false, _) => u128::MAX << (128 - prefix),
        };
        Some(Self {
            address: bits & mask,
            mask,
            is_v4,
        })
    }

    fn contains(&self, address: IpAddr) -> bool {
        let (bits, is_v4) = bits(address);
        is_v4 == self.is_v4 && bits & self.mask == self.address
    }
}

fn bits(address: IpAddr) -> (u128, bool) {
    match address.to_canonical() {
        IpAddr::V4(address) => (u128::from(u32::from(address)), true),
        IpAddr::V6(address) => (u128::from(address), false),
    }
}

impl AddressSet {
    fn add(&mut self, text: &str) -> bool {
        if let Ok(address) = text.parse::<IpAddr>() {
            self.addresses.insert(address.to_canonical());
            return true;
        }
        if let Some(network) = Network::parse(text) {
            self.networks.push(network);
            return true;
        }
        false
    }

    fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.addresses.contains(&address) || self.networks.iter().any(|network| network.contains(address))
    }
}

/// The well-known names of ports that rules may use instead of their numbers.
const SERVICES: &[(&str, u16)] = &[
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("time", 37),
    ("domain", 53),
    ("bootps", 67),
    ("bootpc", 68),
    ("tftp", 69),
    ("http", 80),
    ("kerberos", 88),
    ("pop3", 110),
    ("sunrpc", 111),
    ("ntp", 123),
    ("imap2", 143),
    ("snmp", 161),
    ("bgp", 179),
    ("ldap", 389),
    ("https", 443),
    ("microsoft-ds", 445),
    ("submission", 587),
    ("ldaps", 636),
    ("domain-s", 853),
    ("imaps", 993),
    ("pop3s", 995),
    ("socks", 1080),
    ("openvpn", 1194),
    ("ms-sql-s", 1433),
    ("radius", 1812),
    ("nfs", 2049),
    ("mysql", 3306),
    ("postgresql", 5432),
    ("amqp", 5672),
    ("redis", 6379),
    ("http-alt", 8080),
];

/// The name of the service at a port, where it has a well-known one.
#[must_use]
pub fn service_name(port: u16) -> Option<&'static str> {
    SERVICES
        .iter()
        .find(|(_, number)| *number == port)
        .map(|(name, _)| *name)
}

fn parse_number(text: &str, kind: FieldKind) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let number = match hexadecimal {
        Some(digits) => i128::from(u64::from_str_radix(digits, 16).ok()?),
        None if digits.starts_with(|first: char| first.is_ascii_digit()) => {
            i128::from(digits.parse::<u64>().ok()?)
        }
        None if kind == FieldKind::Port && sign == 1 => {
            let (_, port) = SERVICES.iter().find(|(name, _)| *name == digits)?;
            i128::from(*port)
        }
        None => return None,
    };
    Some(sign * number)
}

fn parse_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    digits
        .chunks_exact(2)
        .map(|pair| {
            let value = digit(pair[0])? * 16 + digit(pair[1])?;
            u8::try_from(value).ok()
        })
        .collect()
}

/// What kinds of values compare with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Text,
    Bytes,
    Number,
    Truth,
    Address,
}

fn family(kind: FieldKind) -> Family {
    match kind {
        FieldKind::Text | FieldKind::Path => Family::Text,
        FieldKind::Bytes => Family::Bytes,
        FieldKind::Int | FieldKind::Uint | FieldKind::Port | FieldKind::Duration | FieldKind::Time => {
            Family::Number
        }
        FieldKind::Bool => Family::Truth,
        FieldKind::Address | FieldKind::Network => Family::Address,
    }
}

fn family_name(family: Family) -> &'static str {
    match family {
        Family::Text => "a text",
        Family::Bytes => "a buffer",
        Family::Number => "a number",
        Family::Truth => "a truth value",
        Family::Address => "an address",
    }
}

fn allowed(family: Family, operator: Operator) -> bool {
    use Operator::{
        Contains, ContainsBytes, ContainsIgnoringCase, EndsWith, Equal, Exists, Glob, GlobIgnoringCase,
        Greater, GreaterOrEqual, In, Intersects, Less, LessOrEqual, NotEqual, PathMatch, Regex, StartsWith,
        StartsWithBytes,
    };
    match operator {
        Exists | Equal | NotEqual | In | Intersects => true,
        Less | LessOrEqual | Greater | GreaterOrEqual => {
            matches!(family, Family::Number | Family::Text)
        }
        Contains | StartsWith | EndsWith => matches!(family, Family::Text | Family::Bytes),
        ContainsBytes | StartsWithBytes => family == Family::Bytes,
        ContainsIgnoringCase | Glob | GlobIgnoringCase | Regex | PathMatch => family == Family::Text,
    }
}

fn domain_field(field: Field) -> Option<Field> {
    match field {
        Field::FdCipName => Some(Field::FdCip),
        Field::FdSipName => Some(Field::FdSip),
        Field::FdLipName => Some(Field::FdLip),
        Field::FdRipName => Some(Field::FdRip),
        _ => None,
    }
}

impl Check {
    /// Checks the two sides against each other and makes the comparison ready.
    pub(crate) fn compile(check: &filter::Check, names: &Arc<Names>) -> Result<Self, CompileError> {
        let (left, kind) = Operand::compile(&check.left)?;
        let operator = check.operator;
        let at = check.operator_at;
        let mut family = family(kind.kind);
        let ordered = matches!(
            operator,
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual
        );
        // A raw parameter is a number or a text; what it is compared with says which is meant.
        if matches!(left, Operand::Field(Field::EvtRawarg, _)) && ordered {
            family = Family::Number;
        }
        if !allowed(family, operator) {
            return Err(CompileError::other(
                at,
                format!(
                    "`{}` does not work on `{}`, which is {}",
                    operator.text(),
                    check.left,
                    family_name(family)
                ),
            ));
        }
        let set_operator = matches!(operator, Operator::Exists | Operator::In | Operator::Intersects);
        if kind.list && !set_operator && check.modifier.is_none() {
            return Err(CompileError::other(
                at,
                format!(
                    "`{}` does not work on `{}`, which is a list: use `in`, `intersects`, `exists` or a string operator with \
                     `anyof`, `allof` or `oneof`",
                    operator.text(),
                    check.left
                ),
            ));
        }
        let types_only = |values: &[String]| -> Result<(), CompileError> {
            let names_types = match &left {
                Operand::Field(Field::EvtType | Field::SyscallType, _) => matches!(
                    operator,
                    Operator::Equal | Operator::NotEqual | Operator::In | Operator::Intersects
                ),
                _ => false,
            };
            if names_types {
                for value in values {
                    event_type(value, check.right_at)?;
                }
            }
            Ok(())
        };
        let right_kind;
        let (test, right) = match &check.right {
            Right::None => (Test::Exists, None),
            Right::Name(name) => {
                return Err(CompileError::other(
                    check.right_at,
                    format!("no list is called `{name}`"),
                ));
            }
            Right::Operand(operand) => {
                let (operand, kind_of_right) = Operand::compile(operand)?;
                right_kind = kind_of_right;
                let test = values_test(operator, kind, right_kind, check)?;
                (test, Some(operand))
            }
            Right::Text(text) => {
                types_only(std::slice::from_ref(text))?;
                let test = Self::test(&left, family, kind, operator, &[text], check, names)?;
                (test, None)
            }
            Right::List(items) => {
                types_only(items)?;
                let test = match check.modifier {
                    None => {
                        let items: Vec<&String> = items.iter().collect();
                        Self::test(&left, family, kind, operator, &items, check, names)?
                    }
                    Some(modifier) => Test::Several(
                        modifier,
                        items
                            .iter()
                            .map(|item| Self::test(&left, family, kind, operator, &[item], check, names))
                            .collect::<Result<_, _>>()?,
                    ),
                };
                (test, None)
            }
        };
        // Names are compared as the addresses that they stand for.
        let left = match (&left, &test) {
            (Operand::Field(field, _), _) => match domain_field(*field) {
                Some(address) => Operand::Field(address, Argument::None),
                None => left,
            },
            _ => left,
        };
        Ok(Self {
            left,
            all: kind.list && operator == Operator::In,
            test,
            right,
        })
    }

    fn test(
        left: &Operand,
        family: Family,
        kind: Type,
        operator: Operator,
        items: &[&String],
        check: &filter::Check,
        names: &Arc<Names>,
    ) -> Result<Test, CompileError> {
        let wrong = |what: &str, item: &str| {
            Err(CompileError::other(
                check.right_at,
                format!("`{item}` is not {what}, as `{}` needs", check.left),
            ))
        };
        let first = items.first().map(|item| item.as_str()).unwrap_or_default();
        let negated = operator == Operator::NotEqual;
        if let Operand::Field(field, _) = left
            && domain_field(*field).is_some()
        {
            if !matches!(
                operator,
                Operator::Equal | Operator::NotEqual | Operator::In | Operator::Intersects
            ) {
                return Err(CompileError::other(
                    check.operator_at,
                    format!(
                        "`{}` does not work on `{}`, whose names are looked up: use `=`, `!=`, `in` or `intersects`",
                        operator.text(),
                        check.left
                    ),
                ));
            }
            let mut addresses = AddressSet::default();
            let mut indexes = Vec::new();
            for item in items {
                if !addresses.add(item) {
                    indexes.push(names.add(item));
                }
            }
            return Ok(Test::Name {
                names: Arc::clone(names),
                indexes,
                addresses,
                negated,
            });
        }
        Ok(match family {
            Family::Number => {
                let mut numbers = Vec::with_capacity(items.len());
                for item in items {
                    match parse_number(item, kind.kind) {
                        Some(number) => numbers.push(number),
                        None => return wrong("a number", item),
                    }
                }
                match operator {
                    Operator::In | Operator::Intersects => {
                        numbers.sort_unstable();
                        numbers.dedup();
                        Test::NumberIn(numbers)
                    }
                    other => Test::Number(other, numbers.first().copied().unwrap_or_default()),
                }
            }
            Family::Truth => {
                let mut truths = [false; 2];
                for item in items {
                    match item.as_str() {
                        "true" => truths[1] = true,
                        "false" => truths[0] = true,
                        _ => return wrong("`true` or `false`", item),
                    }
                }
                if negated {
                    truths = [!truths[0], !truths[1]];
                }
                Test::Truth { truths }
            }
            Family::Address => {
                let mut set = AddressSet::default();
                for item in items {
                    if !set.add(item) {
                        return wrong("an address or a network", item);
                    }
                }
                Test::Address { set, negated }
            }
            Family::Text | Family::Bytes => {
                let boxed = || first.as_bytes().into();
                let bytes = || match parse_hexadecimal(first) {
                    Some(bytes) => Ok(bytes),
                    None => Err(CompileError::other(
                        check.right_at,
                        format!("`{first}` is not a row of bytes in hexadecimal"),
                    )),
                };
                match operator {
                    Operator::Equal | Operator::NotEqual if family == Family::Bytes => Test::BytesEqual {
                        bytes: boxed(),
                        negated,
                    },
                    Operator::Equal | Operator::NotEqual => Test::TextEqual {
                        text: up_to_nul(first.as_bytes()).into(),
                        negated,
                    },
                    Operator::In | Operator::Intersects => {
                        Test::TextIn(TextSet::new(items.iter().map(|item| item.as_bytes().to_vec())))
                    }
                    Operator::PathMatch => {
                        Test::Paths(PathPrefixes::new(items.iter().map(|item| item.as_bytes())))
                    }
                    Operator::Contains => Test::Contains(Finder::new(first.as_bytes()).into_owned()),
                    Operator::ContainsIgnoringCase => {
                        Test::ContainsIgnoringCase(first.to_ascii_lowercase().as_bytes().into())
                    }
                    Operator::ContainsBytes => Test::Contains(Finder::new(&bytes()?).into_owned()),
                    Operator::StartsWith => Test::StartsWith(boxed()),
                    Operator::StartsWithBytes => Test::StartsWith(bytes()?.into()),
                    Operator::EndsWith => Test::EndsWith(boxed()),
                    Operator::Glob => Test::Glob(Glob::new(first.as_bytes(), false)),
                    Operator::GlobIgnoringCase => Test::Glob(Glob::new(first.as_bytes(), true)),
                    Operator::Regex => Test::Regex(Box::new(regex(first, check.right_at)?)),
                    Operator::Exists
                    | Operator::Less
                    | Operator::LessOrEqual
                    | Operator::Greater
                    | Operator::GreaterOrEqual => Test::TextOrder(operator, boxed()),
                }
            }
        })
    }

    /// Whether the comparison holds for a value, and for another when the right side is one.
    pub(crate) fn holds(&self, value: &Value<'_>, right: Option<&Value<'_>>) -> bool {
        self.test.holds(value, self.all, right)
    }

    /// How the tests of a value and a truth that is known before events are seen: `evt.num` counts from 1.
    pub(crate) fn known(&self) -> Option<bool> {
        if !matches!(self.left, Operand::Field(Field::EvtNum, _)) {
            return None;
        }
        match &self.test {
            Test::Exists => Some(true),
            Test::Number(operator, 0) => match operator {
                Operator::Equal | Operator::Less | Operator::LessOrEqual => Some(false),
                Operator::NotEqual | Operator::Greater | Operator::GreaterOrEqual => Some(true),
                _ => None,
            },
            Test::NumberIn(numbers) if numbers.iter().all(|number| *number <= 0) => Some(false),
            _ => None,
        }
    }
}

fn regex(pattern: &str, at: usize) -> Result<Regex, CompileError> {
    RegexBuilder::new(&format!(r"\A(?:{pattern})\z"))
        .size_limit(LARGEST_REGEX)
        .dfa_size_limit(LARGEST_REGEX)
        .build()
        .map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim();
            CompileError {
                kind: ErrorKind::Other,
                message: format!("`{pattern}` is no regular expression: {reason}"),
                at,
            }
        })
}

fn values_test(
    operator: Operator,
    left: Type,
    right: Type,
    check: &filter::Check,
) -> Result<Test, CompileError> {
    let error = |message: String| Err(CompileError::other(check.right_at, message));
    let class = |kind: FieldKind| match family(kind) {
        Family::Bytes => Family::Text,
        other => other,
    };
    if class(left.kind) != class(right.kind) {
        return error(format!(
            "`{}` is {} and cannot be compared with {}",
            check.left,
            family_name(family(left.kind)),
            family_name(family(right.kind))
        ));
    }
    if operator == Operator::Regex {
        return error("`regex` needs its expression written in the rule".to_owned());
    }
    if right.list && !matches!(operator, Operator::In | Operator::Intersects) {
        return error(format!(
            "`{}` cannot compare with a list: use `in` or `intersects`",
            operator.text()
        ));
    }
    Ok(Test::Values(operator, left.kind))
}

fn number_of(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Int(number) => Some(i128::from(*number)),
        Value::Uint(number) => Some(i128::from(*number)),
        Value::Bool(truth) => Some(i128::from(*truth)),
        Value::Text(text) => {
            let text = std::str::from_utf8(text).ok()?;
            parse_number(text.trim(), FieldKind::Int)
        }
        _ => None,
    }
}

fn address_of(value: &Value<'_>) -> Option<IpAddr> {
    match value {
        Value::Address(address) => Some(*address),
        Value::Text(text) => std::str::from_utf8(text).ok()?.parse().ok(),
        _ => None,
    }
}

fn ordered(operator: Operator, order: std::cmp::Ordering) -> bool {
    match operator {
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::Greater => order.is_gt(),
        Operator::GreaterOrEqual => order.is_ge(),
        Operator::NotEqual => order.is_ne(),
        _ => order.is_eq(),
    }
}

/// Holds for either end, or for both when the comparison is "not equal".
fn ends<T>(pair: [Option<T>; 2], negated: bool, test: impl Fn(T) -> bool) -> bool {
    let mut present = pair.into_iter().flatten().peekable();
    if present.peek().is_none() {
        return false;
    }
    if negated {
        present.all(test)
    } else {
        present.any(test)
    }
}

fn contains_ignoring_case(text: &[u8], needle: &[u8]) -> bool {
    let Some((&first, rest)) = needle.split_first() else {
        return true;
    };
    if text.len() < needle.len() {
        return false;
    }
    let starts = &text[..=text.len() - needle.len()];
    let matches = |at: usize| {
        text[at + 1..]
            .iter()
            .zip(rest)
            .all(|(have, want)| have.to_ascii_lowercase() == *want)
    };
    memchr::memchr2_iter(first, first.to_ascii_uppercase(), starts).any(matches)
}

impl Test {
    fn holds(&self, value: &Value<'_>, all: bool, right: Option<&Value<'_>>) -> bool {
        if let Self::Several(modifier, tests) = self {
            if !value.is_present() {
                return false;
            }
            let mut holding = tests.iter().map(|test| test.holds(value, false, None));
            return match modifier {
                Modifier::AnyOf => holding.any(|holds| holds),
                Modifier::AllOf => holding.all(|holds| holds),
                Modifier::OneOf => holding.filter(|holds| *holds).count() == 1,
            };
        }
        match value {
            Value::Absent => false,
            Value::List(values) => {
                if matches!(self, Self::Exists) {
                    return !values.is_empty();
                }
                if all {
                    !values.is_empty() && values.iter().all(|value| self.one(value, right))
                } else {
                    values.iter().any(|value| self.one(value, right))
                }
            }
            value => self.one(value, right),
        }
    }

    fn one(&self, value: &Value<'_>, right: Option<&Value<'_>>) -> bool {
        match self {
            Self::Exists => value.is_present(),
            Self::Number(operator, number) => {
                let negated = *operator == Operator::NotEqual;
                let test = |have: i128| ordered(*operator, have.cmp(number));
                match value {
                    Value::Ports(ports) => ends(*ports, negated, |port| test(i128::from(port))),
                    value => number_of(value).is_some_and(test),
                }
            }
            Self::NumberIn(numbers) => {
                let test = |have: i128| numbers.binary_search(&have).is_ok();
                match value {
                    Value::Ports(ports) => ends(*ports, false, |port| test(i128::from(port))),
                    value => number_of(value).is_some_and(test),
                }
            }
            Self::Truth { truths } => match value {
                Value::Bool(truth) => truths[usize::from(*truth)],
                Value::Int(number) => truths[usize::from(*number != 0)],
                Value::Uint(number) => truths[usize::from(*number != 0)],
                Value::Text(text) if **text == *b"true" => truths[1],
                Value::Text(text) if **text == *b"false" => truths[0],
                _ => false,
            },
            Self::Address { set, negated } => {
                let test = |address: IpAddr| set.contains(address) != *negated;
                match value {
                    Value::Addresses(pair) => ends(*pair, *negated, test),
                    value => address_of(value).is_some_and(test),
                }
            }
            Self::Name {
                names,
                indexes,
                addresses,
                negated,
            } => {
                let test = |address: IpAddr| {
                    let address = address.to_canonical();
                    let found = addresses.contains(address) || names.any(indexes, address);
                    found != *negated
                };
                match value {
                    Value::Addresses(pair) => ends(*pair, *negated, test),
                    value => address_of(value).is_some_and(test),
                }
            }
            Self::Values(operator, kind) => {
                right.is_some_and(|right| values_hold(*operator, *kind, value, right))
            }
            Self::Several(..) => false,
            _ => text_of(value).is_some_and(|text| self.text(&text)),
        }
    }

    /// The tests of texts and buffers.
    fn text(&self, have: &[u8]) -> bool {
        match self {
            Self::TextEqual { text, negated } => {
                let equal = have.len() >= text.len()
                    && have[..text.len()] == **text
                    && have.get(text.len()).is_none_or(|next| *next == 0);
                equal != *negated
            }
            Self::BytesEqual { bytes, negated } => (**bytes == *have) != *negated,
            Self::TextIn(set) => set.contains(have),
            Self::TextOrder(operator, text) => ordered(*operator, up_to_nul(have).cmp(up_to_nul(text))),
            Self::Contains(finder) => finder.find(have).is_some(),
            Self::ContainsIgnoringCase(needle) => contains_ignoring_case(have, needle),
            Self::StartsWith(prefix) => have.starts_with(prefix),
            Self::EndsWith(suffix) => have.ends_with(suffix),
            Self::Glob(glob) => glob.matches(have),
            Self::Regex(regex) => match std::str::from_utf8(have) {
                Ok(_) => regex.is_match(have),
                Err(_) => regex.is_match(String::from_utf8_lossy(have).as_bytes()),
            },
            Self::Paths(paths) => paths.matches(have),
            _ => false,
        }
    }
}

/// A comparison of two values of events.
fn values_hold(operator: Operator, kind: FieldKind, left: &Value<'_>, right: &Value<'_>) -> bool {
    if let Value::List(list) = right {
        return list
            .iter()
            .any(|one| values_hold(Operator::Equal, kind, left, one));
    }
    if !right.is_present() {
        return false;
    }
    let equality = |equal: bool| equal == (operator != Operator::NotEqual);
    match family(kind) {
        Family::Number => match (number_of(left), number_of(right)) {
            (Some(left), Some(right)) => ordered(operator, left.cmp(&right)),
            _ => false,
        },
        Family::Truth => match (left, right) {
            (Value::Bool(left), Value::Bool(right)) => equality(left == right),
            _ => false,
        },
        Family::Address => match (left, right) {
            (Value::Addresses(pair), _) => ends(*pair, operator == Operator::NotEqual, |address| {
                values_hold(operator, kind, &Value::Address(address), right)
            }),
            (_, Value::Addresses(pair)) => ends(*pair, operator == Operator::NotEqual, |address| {
                values_hold(operator, kind, left, &Value::Address(address))
            }),
            _ => match (address_of(left), address_of(right)) {
                (Some(left), Some(right)) => equality(left.to_canonical() == right.to_canonical()),
                _ => false,
            },
        },
        Family::Text | Family::Bytes => match (text_of(left), text_of(right)) {
            (Some(left), Some(right)) => texts_hold(operator, &left, &right),
            _ => false,
        },
    }
}

fn texts_hold(operator: Operator, left: &[u8], right: &[u8]) -> bool {
    match operator {
        Operator::Contains | Operator::ContainsBytes => memchr::memmem::find(left, right).is_some(),
        Operator::ContainsIgnoringCase => contains_ignoring_case(left, &right.to_ascii_lowercase()),
        Operator::StartsWith | Operator::StartsWithBytes => left.starts_with(right),
        Operator::EndsWith => left.ends_with(right),
        Operator::Glob => Glob::new(right, false).matches(left),
        Operator::GlobIgnoringCase => Glob::new(right, true).matches(left),
        Operator::PathMatch => PathPrefixes::new([right]).matches(left),
        Operator::In | Operator::Intersects => left == right,
        operator => ordered(operator, up_to_nul(left).cmp(up_to_nul(right))),
    }
}
