//! Conditions: their syntax tree, how they are read and how they are written.

mod parse;
mod write;

pub use parse::{DEEPEST, FilterError, LARGEST_CONDITION, parse, parse_operand_prefix};

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// All hold; at least two.
    And(Vec<Self>),
    /// Any holds; at least two.
    Or(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// What a macro says.
    Macro {
        /// The macro's name.
        name: String,
        /// Bytes before it in the condition.
        at: usize,
    },
    /// A comparison.
    Check(Check),
}

/// A comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What is compared.
    pub left: Operand,
    /// How.
    pub operator: Operator,
    /// How many of several values must match; string operators only.
    pub modifier: Option<Modifier>,
    /// With what.
    pub right: Right,
    /// Bytes before the operator in the condition.
    pub operator_at: usize,
    /// Bytes before the right side in the condition.
    pub right_at: usize,
}

/// What is compared: a field, or what is made of fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// A field.
    Field {
        /// Its name, with what follows a dot.
        name: String,
        /// What stands in brackets.
        argument: Option<String>,
        /// Bytes before it in the condition.
        at: usize,
    },
    /// A transformer.
    Call {
        /// Which.
        transformer: Transformer,
        /// What it is given.
        arguments: Vec<CallArgument>,
        /// What stands in brackets after it.
        index: Option<String>,
        /// Bytes before it in the condition.
        at: usize,
    },
}

impl Operand {
    /// Bytes before it in the condition.
    #[must_use]
    pub fn at(&self) -> usize {
        match self {
            Self::Field { at, .. } | Self::Call { at, .. } => *at,
        }
    }
}

/// An argument of a transformer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallArgument {
    /// A field or another transformer.
    Operand(Operand),
    /// A text.
    Text(String),
    /// A number, as it is written.
    Number(String),
    /// Several.
    List(Vec<Self>),
}

/// With what something is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Right {
    /// Nothing (`exists`).
    None,
    /// A text or number.
    Text(String),
    /// A list of texts and numbers.
    List(Vec<String>),
    /// The value of a field or transformer.
    Operand(Operand),
    /// A name that stands for nothing.
    Name(String),
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($variant:ident $text:literal $description:literal)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = $description] $variant),*
        }

        impl $name {
            /// All.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word or sign.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),*
                }
            }
        }
    };
}

words! {
    /// How two sides are compared.
    Operator {
        Exists "exists" "There is a value."
        Equal "=" "Equal."
        NotEqual "!=" "Not equal."
        Less "<" "Less."
        LessOrEqual "<=" "Less or equal."
        Greater ">" "Greater."
        GreaterOrEqual ">=" "Greater or equal."
        Contains "contains" "Has the text in it."
        ContainsIgnoringCase "icontains" "Has the text in it, in upper or lower case."
        ContainsBytes "bcontains" "Has the bytes in it, given in hexadecimal."
        StartsWith "startswith" "Starts with the text."
        StartsWithBytes "bstartswith" "Starts with the bytes, given in hexadecimal."
        EndsWith "endswith" "Ends with the text."
        Glob "glob" "Matches the pattern with `*`, `?` and `[...]`."
        GlobIgnoringCase "iglob" "Matches the pattern in upper or lower case."
        Regex "regex" "Matches the regular expression from start to end."
        In "in" "Is in the list."
        Intersects "intersects" "Has a value that is in the list."
        PathMatch "pmatch" "Lies at or below one of the paths."
    }
}

words! {
    /// How many values of the right side must match.
    Modifier {
        AnyOf "anyof" "At least one."
        AllOf "allof" "All."
        OneOf "oneof" "Exactly one."
    }
}

words! {
    /// What makes a value of others.
    Transformer {
        Lower "tolower" "The text in lower case."
        Upper "toupper" "The text in upper case."
        Base64 "b64" "What the base64 text stands for."
        BaseName "basename" "What follows the last slash."
        Length "len" "How long a text is, or how many values a list has."
        Join "join" "The values with a text between."
        Concat "concat" "The values one after the other."
        GetOpt "getopt" "The options of a command line, or the argument of one."
    }
}

/// A text as conditions write it: bare where it may stand so, in quotes else.
pub(crate) fn write_text(text: &str) -> String {
    write::Quoted(text).to_string()
}

impl Expression {
    /// Several conditions that must all hold; nested ones are taken apart.
    #[must_use]
    pub fn all(parts: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::And(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            1 => flat.remove(0),
            _ => Self::And(flat),
        }
    }

    /// Several conditions of which one must hold; nested ones are taken apart.
    #[must_use]
    pub fn any(parts: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::Or(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            1 => flat.remove(0),
            _ => Self::Or(flat),
        }
    }

    /// The opposite; two negations cancel.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }
}
