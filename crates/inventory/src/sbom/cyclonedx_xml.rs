//! CycloneDX as XML.

use super::cyclonedx_json::{Source, apply_property, check_version, role, scope};
use super::{Bill, Item};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;

/// How deep elements may lie in one another.
const DEPTH: usize = 256;

/// A component whose end has not come yet.
struct Open {
    item: Item<'static>,
    source: Source,
    /// Name of the property that is being read.
    property: String,
    /// How many elements were open when it began.
    depth: usize,
}

pub(super) fn read(bytes: &[u8]) -> Result<Bill<'static>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("it is not UTF-8: {error}"))?;
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut bill = Bill::default();
    let mut path: Vec<String> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut text = String::new();
    // The dependency elements that are open, outermost first.
    let mut dependents: Vec<String> = Vec::new();
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => {
                if path.len() >= DEPTH {
                    return Err(format!("its elements lie more than {DEPTH} deep in one another"));
                }
                let name = start.local_name().as_ref().to_owned();
                text.clear();
                match name.as_str() {
                    "bom" if path.is_empty() => {
                        check_version(&specification(&start), &mut bill);
                    }
                    "component" if is_component(&path) => {
                        let item = Item {
                            id: attribute(&start, "bom-ref").into(),
                            role: role(&attribute(&start, "type")),
                            ..Item::default()
                        };
                        if path.last().is_some_and(|parent| parent == "metadata") {
                            bill.roots.push(item.id.clone());
                        }
                        open.push(Open {
                            item,
                            source: Source::default(),
                            property: String::new(),
                            depth: path.len(),
                        });
                    }
                    "property" => {
                        if let Some(component) = open.last_mut() {
                            component.property = attribute(&start, "name");
                        }
                    }
                    "dependency" => {
                        let target = attribute(&start, "ref");
                        if let Some(from) = dependents.last() {
                            bill.edge(from.clone().into(), target.clone().into());
                        }
                        dependents.push(target);
                    }
                    _ => {}
                }
                path.push(name);
            }
            Event::End(_) => {
                let Some(name) = path.pop() else {
                    continue;
                };
                if name == "dependency" {
                    dependents.pop();
                }
                let ends = open.last().is_some_and(|component| component.depth == path.len());
                if ends && name == "component" {
                    if let Some(mut component) = open.pop() {
                        component.item.source = component.source.finish();
                        bill.push(component.item);
                    }
                } else if let Some(component) = open.last_mut() {
                    let inner = path.get(component.depth + 1..).unwrap_or_default();
                    component.element(inner, &name, text.trim());
                }
                text.clear();
            }
            Event::Text(part) => {
                text.push_str(&part);
            }
            Event::CData(part) => {
                text.push_str(&part);
            }
            Event::GeneralRef(reference) => {
                match reference.resolve_char_ref() {
                    Ok(Some(character)) => text.push(character),
                    // Only the five that XML itself knows: entities of a document's own could grow without bound.
                    _ => text.push_str(
                        quick_xml::escape::resolve_predefined_entity(&reference).unwrap_or_default(),
                    ),
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if !path.is_empty() {
        return Err("it ends before its elements do".to_owned());
    }
    Ok(bill)
}

/// Components stand in lists of components and in the metadata; those of tools, services and the like are no parts.
fn is_component(path: &[String]) -> bool {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["bom", "metadata" | "components"] => true,
        ["bom", rest @ ..]
            if rest
                .first()
                .is_some_and(|first| matches!(*first, "components" | "metadata")) =>
        {
            rest.ends_with(&["component", "components"])
                && !rest.iter().any(|part| matches!(*part, "tools" | "pedigree"))
        }
        _ => false,
    }
}

impl Open {
    /// Takes the text of an element; `parents` are those between the component and the element.
    fn element(&mut self, parents: &[String], name: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        let parents: Vec<&str> = parents.iter().map(String::as_str).collect();
        let item = &mut self.item;
        match (parents.as_slice(), name) {
            ([], "group") => item.group = text.to_owned().into(),
            ([], "name") => item.name = text.to_owned().into(),
            ([], "version") => item.version = text.to_owned().into(),
            ([], "purl") => item.purl = text.to_owned().into(),
            ([], "cpe") => item.cpe = text.to_owned().into(),
            ([], "scope") => item.scope = scope(text),
            (["licenses"], "expression") | (["licenses", "license"], "id" | "name") => {
                item.licenses.push(text.to_owned().into());
            }
            (["properties"], "property") => {
                apply_property(
                    &self.property,
                    Cow::Owned(text.to_owned()),
                    item,
                    &mut self.source,
                );
            }
            _ => {}
        }
    }
}

/// The version at the end of the namespace `http://cyclonedx.org/schema/bom/1.5`.
fn specification(start: &BytesStart<'_>) -> String {
    start
        .attributes()
        .flatten()
        .filter_map(|attribute| {
            let version = attribute.value.strip_prefix("http://cyclonedx.org/schema/bom/");
            version.map(str::to_owned)
        })
        .next()
        .unwrap_or_default()
}

fn attribute(start: &BytesStart<'_>, name: &str) -> String {
    start
        .attributes()
        .flatten()
        .find(|attribute| attribute.key.as_ref() == name)
        .map(|attribute| {
            quick_xml::escape::unescape(&attribute.value)
                .map_or_else(|_| attribute.value.clone().into_owned(), Cow::into_owned)
        })
        .unwrap_or_default()
}
