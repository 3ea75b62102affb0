//! Reads the tree by the table: every value by the type of its field, every error reported.

mod pairs;
mod scalar;
mod shape;

use self::pairs::pairs;
use self::scalar::scalar;
pub(super) use self::shape::Name;
use self::shape::{is_nested, is_nothing, wrong};
use super::findings::Findings;
use super::metadata::Value;
use super::schema::{Field, Kind};
use super::text::clean;
use super::unknown::{UnknownField, UnknownFields, shown};
use super::visibility::{Further, VisibilityFields};
use crate::diagnostic::Span;
use crate::yaml::scalar::{is_null_word, shortened};
use crate::yaml::suggest::suggestion;
use crate::yaml::{self, Key, Node};

/// Reads mappings by a table of fields. Texts are moved out of the tree, not copied.
pub(super) struct Validator<'v, 's> {
    pub findings: &'v mut Findings<'s>,
    pub policy: UnknownFields,
    /// Strict mode: what the generator writes is required.
    pub ask_for_all: bool,
    pub unknown: Vec<UnknownField>,
    /// What the settings say of fields that are about who may see the article.
    pub visibility_fields: &'v VisibilityFields,
    /// What fields that the table does not know say about that.
    pub further: Further,
}

/// Fields with their values, in table order.
pub(super) type Values = Vec<(&'static Field, Value)>;

/// What became of one field of the table.
#[derive(Default)]
struct Slot {
    /// Line of its key; 0 if it did not occur.
    line: u32,
    value: Option<Value>,
    /// It was there, and wrong, and has been reported.
    wrong: bool,
}

impl Validator<'_, '_> {
    /// Reads the entries of a mapping; `parent` is the field it belongs to, and `at` its
    /// place, which is blamed for members that are missing.
    pub(super) fn fields(
        &mut self,
        table: &'static [Field],
        entries: &mut [(Key, Node)],
        parent: Option<&Name<'_>>,
        at: Option<Span>,
    ) -> Values {
        let mut slots: Vec<Slot> = table.iter().map(|_| Slot::default()).collect();
        let mut next = 0;
        for (key, node) in &mut *entries {
            // Generators write fields in one order, mostly that of the table.
            let found = (next..table.len())
                .chain(0..next)
                .find(|&index| table[index].answers_to(&key.name));
            let Some(index) = found.or_else(|| find_cleaned(table, key.text())) else {
                let is_explained = parent.is_none() && {
                    let field = (&*key, &*node);
                    self.further
                        .ask(self.visibility_fields, field, self.findings)
                };
                if !is_explained {
                    self.unknown_field(table, key, parent);
                }
                continue;
            };
            next = index + 1;
            let field = &table[index];
            let name = Name {
                parent,
                own: field.name,
            };
            if slots[index].line > 0 {
                let message = format!(
                    "expected each field once, found '{}' again (first on line {})",
                    shortened(key.text()),
                    slots[index].line
                );
                self.findings
                    .error(&name.code(), Some(key.span), message, None);
                continue;
            }
            let errors = self.findings.errors();
            let value = self.value(&field.kind, node, &name);
            slots[index] = Slot {
                line: key.span.line,
                value,
                wrong: self.findings.errors() > errors,
            };
        }
        for (field, slot) in table.iter().zip(&slots) {
            let required = field.required || field.required_in_strict && self.ask_for_all;
            let is_missing = slot.value.is_none() && !slot.wrong;
            if required && is_missing && !stands_in(table, &slots, field) {
                let name = Name {
                    parent,
                    own: field.name,
                };
                let message = format!("expected {}, found nothing", field.kind.expected());
                let help = (!field.required).then(|| "strict mode requires this field".to_owned());
                self.findings.error(&name.code(), at, message, help);
            }
        }
        // Room for all at once: `collect` would grow its vector several times.
        let mut values = Values::with_capacity(entries.len().min(table.len()));
        let found = |(field, slot): (_, Slot)| Some((field, slot.value?));
        values.extend(table.iter().zip(slots).filter_map(found));
        values
    }

    fn unknown_field(&mut self, table: &'static [Field], key: &Key, parent: Option<&Name<'_>>) {
        // A key without a name is an error already.
        if self.policy == UnknownFields::Allow || key.name.is_empty() {
            return;
        }
        let names = table
            .iter()
            .flat_map(|field| field.aliases.iter().chain([&field.name]))
            .copied();
        let guess = suggestion(&key.name, names);
        let prefix = parent.map(|name| name.code() + ".").unwrap_or_default();
        let field = UnknownField::new(&prefix, &key.name, guess);
        if self.policy == UnknownFields::Deny {
            let name = shown(&field.name);
            let message = format!("expected a field of the table, found '{name}'");
            let help = guess.map(|name| format!("did you mean '{name}'?"));
            self.findings
                .error("unknown-field", Some(key.span), message, help);
        }
        self.unknown.push(field);
    }

    fn is_too_long(
        &mut self,
        kind: &Kind,
        found: usize,
        max: usize,
        span: Span,
        name: &Name<'_>,
    ) -> bool {
        if found > max {
            let message = format!("expected {}, found {found}", kind.expected());
            self.findings.error(&name.code(), Some(span), message, None);
        }
        found > max
    }

    /// One value. None if it is absent, or wrong and reported.
    fn value(&mut self, kind: &'static Kind, node: &mut Node, name: &Name<'_>) -> Option<Value> {
        let span = node.span;
        match (&mut node.kind, kind) {
            (yaml::Kind::Scalar { text, plain }, kind) if !is_nested(kind) => {
                let text = clean(std::mem::take(text), &mut self.findings.cleaned);
                let null = *plain && (text == "~" || !is_free_text(kind) && is_null_word(&text));
                if text.is_empty() || null {
                    return None;
                }
                scalar(self.findings, kind, text, span, name)
            }
            (yaml::Kind::Scalar { text, plain }, _) if is_nothing(text, *plain) => None,
            (yaml::Kind::Scalar { text, .. }, Kind::List { max, of, at_commas })
                if !is_nested(of) =>
            {
                let text = std::mem::take(text);
                let texts = split(text, *at_commas);
                if self.is_too_long(kind, texts.len(), *max, span, name) {
                    return None;
                }
                let mut values = Vec::with_capacity(texts.len());
                for text in texts {
                    let text = clean(text, &mut self.findings.cleaned);
                    if !text.is_empty() {
                        values.extend(scalar(self.findings, of, text, span, name));
                    }
                }
                (!values.is_empty()).then_some(Value::List(values))
            }
            (yaml::Kind::Sequence(items), Kind::List { max, of, .. }) => {
                if self.is_too_long(kind, items.len(), *max, span, name) {
                    return None;
                }
                let mut values = Vec::with_capacity(items.len());
                values.extend(
                    items
                        .iter_mut()
                        .filter_map(|item| self.value(of, item, name)),
                );
                (!values.is_empty()).then_some(Value::List(values))
            }
            (
                _,
                Kind::Pairs {
                    max,
                    label_max,
                    text_max,
                },
            ) => pairs(
                self.findings,
                kind,
                node,
                [*max, *label_max, *text_max],
                name,
            ),
            (yaml::Kind::Mapping(entries), Kind::Group(members)) => {
                let values = self.fields(members, entries, Some(name), Some(span));
                let values: Vec<_> = values
                    .into_iter()
                    .map(|(field, value)| (field.name.to_owned(), value))
                    .collect();
                (!values.is_empty()).then_some(Value::Group(values))
            }
            _ => {
                wrong(self.findings, kind, node, name);
                None
            }
        }
    }
}

/// Whether another field does in the place of `field`.
fn stands_in(table: &[Field], slots: &[Slot], field: &Field) -> bool {
    let mut pairs = table.iter().zip(slots);
    field.stand_in.is_some_and(|name| {
        pairs.any(|(other, slot)| other.name == name && (slot.value.is_some() || slot.wrong))
    })
}

/// The texts that stand in one in the place of a list.
fn split(text: String, at_commas: bool) -> Vec<String> {
    if !at_commas {
        return vec![text];
    }
    let items = text.split(',').map(str::trim);
    items.map(str::to_owned).collect()
}

/// A key with invisible characters in it still names its field.
fn find_cleaned(table: &[Field], key: &str) -> Option<usize> {
    if key.is_ascii() && !key.bytes().any(|b| b.is_ascii_control()) {
        return None;
    }
    let name = yaml::normalise(&clean(key.to_owned(), &mut super::text::Cleaned::default()));
    table.iter().position(|field| field.answers_to(&name))
}

fn is_free_text(kind: &Kind) -> bool {
    matches!(kind, Kind::Text { .. } | Kind::Numbered { .. })
}
