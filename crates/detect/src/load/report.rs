//! What is said about rule files: errors and warnings in Falco's classes, for people and as Falco's JSON.

use crate::yaml::{Place, Position};
use serde_json::{Value, json};
use std::fmt::Write;

macro_rules! codes {
    ($($variant:ident $code:literal $description:literal)*) => {
        /// The class of an error or warning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $description] $variant),*
        }

        impl Code {
            /// All.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code as Falco writes it.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code),*
                }
            }

            /// What the code means.
            #[must_use]
            pub fn description(self) -> &'static str {
                match self {
                    $(Self::$variant => $description),*
                }
            }
        }
    };
}

codes! {
    FileRead "LOAD_ERR_FILE_READ" "File read error"
    YamlParse "LOAD_ERR_YAML_PARSE" "YAML parse error"
    YamlValidate "LOAD_ERR_YAML_VALIDATE" "Error validating internal structure of YAML file"
    CompileConditionError "LOAD_ERR_COMPILE_CONDITION" "Error compiling condition"
    CompileOutput "LOAD_ERR_COMPILE_OUTPUT" "Error compiling output"
    Validate "LOAD_ERR_VALIDATE" "Error validating rule/macro/list/exception objects"
    UnknownSource "LOAD_UNKNOWN_SOURCE" "Unknown event source"
    UnsafeNaCheck "LOAD_UNSAFE_NA_CHECK" "Unsafe <NA> comparison in condition"
    NoEventType "LOAD_NO_EVTTYPE" "Condition has no event-type restriction"
    UnknownFilter "LOAD_UNKNOWN_FILTER" "Unknown field or event-type in condition or output"
    UnusedMacro "LOAD_UNUSED_MACRO" "Unused macro"
    UnusedList "LOAD_UNUSED_LIST" "Unused list"
    UnknownItem "LOAD_UNKNOWN_ITEM" "Unknown rules file item"
    UnknownKey "LOAD_UNKNOWN_KEY" "Unknown item key"
    DeprecatedItem "LOAD_DEPRECATED_ITEM" "Used deprecated item"
    AppendNoValues "LOAD_APPEND_NO_VALUES" "Overriding/appending with no values"
    ExceptionNameNotUnique "LOAD_EXCEPTION_NAME_NOT_UNIQUE" "Multiple exceptions defined with the same name"
    InvalidMacroName "LOAD_INVALID_MACRO_NAME" "Invalid macro name"
    InvalidListName "LOAD_INVALID_LIST_NAME" "Invalid list name"
    UnsuppliedField "LOAD_UNSUPPLIED_FIELD" "Field that no event of the source has"
}

impl Code {
    /// Whether it is an error, after which nothing of the file is taken.
    #[must_use]
    pub fn is_error(self) -> bool {
        self.code().starts_with("LOAD_ERR")
    }
}

/// Where something is, from the outside in: the file, the rule, its condition ...
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// What kind of thing, such as `rule`.
    pub kind: &'static str,
    /// Its name, where it has one.
    pub name: String,
    /// The file.
    pub file: String,
    /// Where it starts.
    pub position: Position,
    /// The line of the file, for people; of a long one the part around the place.
    line: String,
    /// Characters of the line that stand before that part.
    skipped: usize,
}

/// An error or warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its class.
    pub code: Code,
    /// What is wrong, in words.
    pub message: String,
    /// Where, from the outside in.
    pub locations: Vec<Location>,
}

/// The longest part of a line that is shown, in characters.
const LONGEST_LINE: usize = 200;

/// Characters before the place that are shown of a line that is cut there.
const BEFORE_PLACE: usize = 60;

impl Location {
    pub(crate) fn new(kind: &'static str, name: &str, place: &Place) -> Self {
        let text = &place.source.text;
        let offset = place.position.offset.min(text.len());
        let before = text.get(..offset).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(start..).unwrap_or_default().chars().count();
        let skipped = if column < LONGEST_LINE - BEFORE_PLACE {
            0
        } else {
            column - BEFORE_PLACE
        };
        let line: String = text
            .get(start..)
            .unwrap_or_default()
            .chars()
            .take_while(|character| *character != '\n')
            .skip(skipped)
            .take(LONGEST_LINE)
            .collect();
        Self {
            kind,
            name: name.to_owned(),
            file: place.source.name.clone(),
            position: place.position,
            line,
            skipped,
        }
    }
}

impl Finding {
    /// Over several lines for people: what, where, and the line with a mark below it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let kind = if self.code.is_error() { "error" } else { "warning" };
        let mut text = format!("{kind}[{}]: {}\n", self.code.code(), self.message);
        if let Some(last) = self.locations.last() {
            let line = last.position.line + 1;
            let column = last.position.column + 1;
            let _ = write!(text, "  --> {}:{line}:{column}", last.file);
            let named = self
                .locations
                .iter()
                .rev()
                .find(|location| !location.name.is_empty() && location.name != location.file);
            if let Some(named) = named {
                let _ = write!(text, " in {} `{}`", named.kind, named.name);
            }
            let number = line.to_string();
            let pad = " ".repeat(number.len());
            let shown: String = last
                .line
                .chars()
                .map(|character| if character.is_control() { ' ' } else { character })
                .collect();
            let cut = if last.skipped > 0 { "…" } else { "" };
            let _ = write!(text, "\n {pad} |\n {number} | {cut}{shown}\n");
            let indent = last.position.column.saturating_sub(last.skipped) + cut.chars().count();
            if indent <= LONGEST_LINE {
                let _ = writeln!(text, " {pad} | {}^", " ".repeat(indent));
            }
        }
        text
    }

    /// On one line: the place, then what is wrong.
    #[must_use]
    pub fn to_line(&self) -> String {
        match self.locations.last() {
            Some(last) => {
                let line = last.position.line + 1;
                let column = last.position.column + 1;
                format!("{}:{line}:{column}: {}", last.file, self.message)
            }
            None => self.message.clone(),
        }
    }

    /// Whether it is about a file.
    pub(crate) fn is_about(&self, file: &str) -> bool {
        self.locations
            .first()
            .is_some_and(|location| location.file == file)
    }

    fn to_json(&self) -> Value {
        let locations: Vec<Value> = self
            .locations
            .iter()
            .map(|location| {
                json!({
                    "item_type": location.kind,
                    "item_name": location.name,
                    "position": {
                        "name": location.file,
                        "line": location.position.line,
                        "column": location.position.column,
                        "offset": location.position.offset,
                    },
                })
            })
            .collect();
        let snippet = self
            .locations
            .last()
            .map_or("", |location| location.line.as_str());
        json!({
            "code": self.code.code(),
            "codedesc": self.code.description(),
            "message": self.message,
            "context": { "locations": locations, "snippet": snippet },
        })
    }
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoadResult {
    /// The file's name.
    pub name: String,
    /// Errors; when there is one, nothing of the file was taken.
    pub errors: Vec<Finding>,
    /// Warnings.
    pub warnings: Vec<Finding>,
}

impl LoadResult {
    /// Whether the file was taken.
    #[must_use]
    pub fn successful(&self) -> bool {
        self.errors.is_empty()
    }

    /// A file that could not be read.
    #[must_use]
    pub fn unreadable(name: &str, reason: &str) -> Self {
        Self {
            name: name.to_owned(),
            errors: vec![Finding {
                code: Code::FileRead,
                message: reason.to_owned(),
                locations: Vec::new(),
            }],
            warnings: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, finding: Finding) {
        if finding.code.is_error() {
            self.errors.push(finding);
        } else {
            self.warnings.push(finding);
        }
    }
}

/// The results as Falco's `-V` prints them with JSON output.
#[must_use]
pub fn results_to_json(results: &[LoadResult]) -> Value {
    let results: Vec<Value> = results
        .iter()
        .map(|result| {
            json!({
                "name": result.name,
                "successful": result.successful(),
                "errors": result.errors.iter().map(Finding::to_json).collect::<Vec<_>>(),
                "warnings": result.warnings.iter().map(Finding::to_json).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({ "falco_load_results": results })
}
