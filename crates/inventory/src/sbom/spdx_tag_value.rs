//! SPDX 2.x as lines of tags and values.

use super::spdx_json::{apply_reference, built_from, check_version, finish, only_one_root, relate};
use super::{Bill, Item};
use std::borrow::Cow;

/// A package whose lines are being read.
#[derive(Default)]
struct Open<'a> {
    item: Item<'a>,
    purpose: &'a str,
    declared: &'a str,
    concluded: &'a str,
}

pub(super) fn read(bytes: &[u8]) -> Result<Bill<'_>, String> {
    let mut rest = std::str::from_utf8(bytes).map_err(|error| format!("it is not UTF-8: {error}"))?;
    let mut bill = Bill::default();
    let mut open: Option<Open<'_>> = None;
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let at = line.trim_start();
        let Some((tag, value)) = at.split_once(':').filter(|_| !at.starts_with('#')) else {
            rest = after;
            continue;
        };
        let value = value.trim();
        // A value in <text> may span lines.
        let value = if let Some(start) = value.strip_prefix("<text>") {
            match start.split_once("</text>") {
                Some((text, _)) => {
                    rest = after;
                    text
                }
                None => {
                    let from = rest.len() - rest.split_once("<text>").map_or(0, |(_, text)| text.len());
                    let text = rest.get(from..).unwrap_or_default();
                    let Some((text, behind)) = text.split_once("</text>") else {
                        return Err("a <text> does not end".to_owned());
                    };
                    rest = behind;
                    text
                }
            }
        } else {
            rest = after;
            value
        };
        match tag.trim() {
            "SPDXVersion" => check_version(value, &mut bill),
            "PackageName" => {
                close(&mut open, &mut bill);
                open = Some(Open {
                    item: Item {
                        name: value.into(),
                        ..Item::default()
                    },
                    ..Open::default()
                });
            }
            // Other sections; what follows does not belong to the package.
            "FileName" | "SnippetSPDXID" | "LicenseID" => close(&mut open, &mut bill),
            "Relationship" => {
                let mut words = value.split_whitespace();
                if let (Some(from), Some(kind), Some(to)) = (words.next(), words.next(), words.next()) {
                    relate(from.into(), kind, to.into(), &mut bill);
                }
            }
            tag => {
                if let Some(open) = &mut open {
                    open.line(tag, value);
                }
            }
        }
    }
    close(&mut open, &mut bill);
    only_one_root(&mut bill);
    Ok(bill)
}

impl<'a> Open<'a> {
    fn line(&mut self, tag: &str, value: &'a str) {
        match tag {
            "SPDXID" => self.item.id = value.into(),
            "PackageVersion" => self.item.version = value.into(),
            "PackageLicenseDeclared" => self.declared = value,
            "PackageLicenseConcluded" => self.concluded = value,
            "PrimaryPackagePurpose" => self.purpose = value,
            "PackageSourceInfo" => self.item.source = built_from(value),
            "ExternalRef" => {
                let mut words = value.split_whitespace();
                if let (Some(_), Some(kind), Some(locator)) = (words.next(), words.next(), words.next()) {
                    apply_reference(kind, Cow::Borrowed(locator), &mut self.item);
                }
            }
            _ => {}
        }
    }
}

fn close<'a>(open: &mut Option<Open<'a>>, bill: &mut Bill<'a>) {
    if let Some(open) = open.take() {
        finish(
            open.item,
            open.purpose,
            open.declared.into(),
            open.concluded.into(),
            bill,
        );
    }
}
