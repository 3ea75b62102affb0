//! Reads the tree by the table: every value by the type of its field, every error reported.
//!
//! A value that a field was not meant for (`score: 95`, `hash: abc`) is kept as an own field, with a
//! warning: archives use these names for other things. Errors are values of the right type beyond its
//! limits, and anything unclear in a field that anp acts on.

mod help;
mod inner;
mod own;
mod pairs;
mod scalar;
mod shape;

use std::mem::take;

use self::help::help_with;
use self::pairs::pairs;
use self::scalar::{Unfit, mismatch, scalar, slug};
pub(super) use self::shape::Name;
use self::shape::{Misfit, is_free_text, is_nested, is_nothing};
use super::dates::Timezone;
use super::findings::Findings;
use super::metadata::{Metadata, Value};
use super::rules::{Rules, UnknownFields};
use super::schema::{Field, Kind};
use super::text::clean;
use super::visibility::Further;
use crate::diagnostic::Span;
use crate::yaml::scalar::is_null_word;
use crate::yaml::{self, Key, Node};

/// Reads mappings by a table of fields. Texts are moved out of the tree, not copied.
pub(super) struct Validator<'v, 's> {
    pub findings: &'v mut Findings<'s>,
    pub rules: &'v Rules,
    /// Strict mode: what the generator writes is required.
    pub ask_for_all: bool,
    /// What fields that the table does not know say of who may see the article.
    pub further: Further,
}

/// The values of a mapping: of fields of the table, in its order, and of others, by their key.
#[derive(Default)]
struct Values {
    known: Vec<(&'static Field, Value)>,
    own: Vec<(String, Value)>,
}

/// The state of one field of the table.
#[derive(Default)]
struct Slot {
    /// Where it occurred: one more than the index of its entry; 0 if it did not.
    entry: usize,
    value: Option<Value>,
    /// It was there, and wrong, and has been reported.
    wrong: bool,
}

impl Validator<'_, '_> {
    /// Reads the front matter.
    pub(super) fn metadata(&mut self, entries: &mut [(Key, Node)]) -> Metadata {
        let values = self.fields(self.rules.schema.fields(), entries, None, None);
        Metadata {
            entries: values.known,
            extra: values.own,
        }
    }

    /// Reads the entries of a mapping; `parent` is the field it belongs to, and `at` its
    /// place, which is blamed for members that are missing.
    fn fields(
        &mut self,
        table: &'static [Field],
        entries: &mut [(Key, Node)],
        parent: Option<&Name<'_>>,
        at: Option<Span>,
    ) -> Values {
        let mut slots: Vec<Slot> = table.iter().map(|_| Slot::default()).collect();
        let mut own = Vec::new();
        let mut next = 0;
        for entry in 0..entries.len() {
            let (key, node) = &mut entries[entry];
            // Generators write fields in one order, mostly that of the table.
            let found = (next..table.len())
                .chain(0..next)
                .find(|&index| table[index].answers_to(&key.name));
            let Some(index) = found.or_else(|| find_cleaned(table, key.text())) else {
                let is_explained = parent.is_none() && {
                    let field = (&*key, &*node);
                    self.further
                        .ask(&self.rules.visibility_fields, field, self.findings)
                };
                if !is_explained {
                    self.report_unknown(table, key, parent);
                }
                if !key.name.is_empty()
                    && !is_secret(&key.name)
                    && let Some(value) = own::value(self.findings, node, key.text())
                {
                    own::keep(self.findings, key, value, &mut own);
                }
                continue;
            };
            next = index + 1;
            let field = &table[index];
            if parent.is_none() && self.rules.schema.gives_name(field, &key.name) {
                let (fields, field) = (&self.rules.visibility_fields, field.name);
                self.further
                    .ask_known(fields, field, (key, node), self.findings);
            }
            let name = Name {
                parent,
                own: field.name,
            };
            let errors = self.findings.errors();
            let value = self.field(field, (key, node), &name, &mut own);
            let slot = &mut slots[index];
            slot.wrong |= self.findings.errors() > errors;
            if slot.entry == 0 || slot.value.is_none() {
                slot.entry = entry + 1;
                slot.value = value;
            } else if let Some(value) = value {
                let keys = [&entries[slot.entry - 1].0, &entries[entry].0];
                self.second_name((field, &name), keys, slot, value, &mut own);
            }
        }
        own::check_count(self.findings, &own, parent, at);
        self.check_required(table, &slots, parent, at);
        // Room for all at once: `collect` would grow its vector several times.
        let mut known = Vec::with_capacity(entries.len().min(table.len()));
        let found = |(field, slot): (_, Slot)| Some((field, slot.value?));
        known.extend(table.iter().zip(slots).filter_map(found));
        Values { known, own }
    }

    fn check_required(
        &mut self,
        table: &'static [Field],
        slots: &[Slot],
        parent: Option<&Name<'_>>,
        at: Option<Span>,
    ) {
        for (field, slot) in table.iter().zip(slots) {
            let required = field.required || field.required_in_strict && self.ask_for_all;
            let is_missing = slot.value.is_none() && !slot.wrong;
            if required && is_missing && !stands_in(table, slots, field) {
                let name = Name {
                    parent,
                    own: field.name,
                };
                let message = format!("expected {}, found nothing", field.kind.expected());
                let help = (!field.required).then(|| "strict mode requires this field".to_owned());
                self.findings.error(&name.code(), at, message, help);
            }
        }
    }

    /// The value of a field of the table. A value that the field was not meant for goes to `own`.
    fn field(
        &mut self,
        field: &'static Field,
        (key, node): (&Key, &mut Node),
        name: &Name<'_>,
        own: &mut Vec<(String, Value)>,
    ) -> Option<Value> {
        let misfit = match self.value(&field.kind, node, name) {
            Ok(value) => return value,
            Err(misfit) => misfit,
        };
        // A member of a group of the table has no other meaning.
        if name.parent.is_some() || self.rules.unknown_fields == UnknownFields::Deny {
            self.report(misfit, name);
            return None;
        }
        let value = own::value(self.findings, node, key.text())?;
        let derived = inner::within(&field.kind, &value, &self.rules.timezone);
        if derived.is_none() {
            if field.acts {
                self.report(misfit, name);
                return None;
            }
            let message = format!("{}; kept as an own field", misfit.message);
            self.findings
                .warning(&name.code(), Some(misfit.span), message, misfit.help);
        }
        own::keep(self.findings, key, value, own);
        derived
    }

    /// A field under a second name. Lists are joined. Of other values that differ, the one under the
    /// field's own name counts, or under the alias that comes first in the table; of those about who
    /// may see the article, the one that hides more of it.
    fn second_name(
        &mut self,
        (field, name): (&'static Field, &Name<'_>),
        [first, second]: [&Key; 2],
        slot: &mut Slot,
        value: Value,
        own: &mut Vec<(String, Value)>,
    ) {
        match (&mut slot.value, value) {
            (Some(counts), value) if first.name == second.name && *counts != value => {
                let message = format!(
                    "expected each field once, found '{}' again (first on line {})",
                    yaml::scalar::shortened(second.text()),
                    first.span.line
                );
                self.findings
                    .error(&name.code(), Some(second.span), message, None);
                slot.wrong = true;
            }
            (Some(Value::List(items)), Value::List(more)) => {
                for item in more {
                    if !items.contains(&item) {
                        items.push(item);
                    }
                }
                if let Kind::List { max, .. } = &field.kind
                    && self.is_too_long(&field.kind, items.len(), *max, second.span, name)
                {
                    slot.wrong = true;
                    slot.value = None;
                }
            }
            (Some(counts), value) if *counts != value => {
                let mut keys = [first, second];
                let mut loser = value;
                let is_first = match hides_more(field, counts, &loser, &self.rules.timezone) {
                    Some(is_more) => !is_more,
                    None => field.rank(&first.name) < field.rank(&second.name),
                };
                if !is_first {
                    keys = [second, first];
                    std::mem::swap(counts, &mut loser);
                }
                let [counting, other] = keys;
                if !field.aliases_differ {
                    let message = format!(
                        "two values for one field: '{}' counts, '{}' is kept as an own field",
                        yaml::scalar::shortened(counting.text()),
                        yaml::scalar::shortened(other.text())
                    );
                    self.findings
                        .warning(&name.code(), Some(other.span), message, None);
                }
                if let ("date", Value::Text(text)) = (field.name, &loser) {
                    self.further.add_date(self.rules.timezone.instant_ms(text));
                }
                own::keep(self.findings, other, loser, own);
            }
            _ => {}
        }
    }

    /// Reports a field that the table does not know, as the rules ask for.
    fn report_unknown(&mut self, table: &'static [Field], key: &Key, parent: Option<&Name<'_>>) {
        // A key without a name is an error already.
        if key.name.is_empty() {
            return;
        }
        let policy = match self.rules.unknown_fields {
            UnknownFields::Warn if self.rules.strict => UnknownFields::Deny,
            policy => policy,
        };
        let guess = self.rules.schema.suggestion(table, &key.name);
        let is_slip = guess.is_some() && key.name.len() >= MIN_SLIP;
        let is_error = policy == UnknownFields::Deny || is_slip && self.rules.strict;
        if !is_error && !is_slip && policy != UnknownFields::Warn {
            return;
        }
        let group = parent.map(|name| name.code() + ".").unwrap_or_default();
        let message = format!(
            "unknown field '{group}{}'",
            yaml::scalar::shortened(key.text())
        );
        let help = guess.map(|name| format!("did you mean '{name}'?"));
        let (code, span) = ("unknown-field", Some(key.span));
        if is_error {
            self.findings.error(code, span, message, help);
        } else {
            self.findings.warning(code, span, message, help);
        }
    }

    /// One value. None if it is absent, or wrong and reported. A misfit leaves the node as it was.
    fn value(
        &mut self,
        kind: &'static Kind,
        node: &mut Node,
        name: &Name<'_>,
    ) -> Result<Option<Value>, Box<Misfit>> {
        let span = node.span;
        match (&mut node.kind, kind) {
            (yaml::Kind::Scalar { text, plain }, kind) if !is_nested(kind) => {
                self.one_text(kind, (text, *plain), span, name)
            }
            (_, Kind::Any) => Ok(own::value(self.findings, node, &name.code())),
            (yaml::Kind::Scalar { text, plain }, _) if is_nothing(text, *plain) => Ok(None),
            (yaml::Kind::Scalar { text, .. }, Kind::List { max, of, split }) if !is_nested(of) => {
                let texts = shape::items(take(text), *split, self.rules.split_spaces);
                if self.is_too_long(kind, texts.len(), *max, span, name) {
                    return Ok(None);
                }
                Ok(self.list_of_texts(of, texts, span, name))
            }
            (yaml::Kind::Sequence(items), Kind::List { max, of, .. })
                if items.iter().all(|item| shape::may_be(item, of)) =>
            {
                if self.is_too_long(kind, items.len(), *max, span, name) {
                    return Ok(None);
                }
                Ok(self.list_of_members(of, items, name))
            }
            (
                yaml::Kind::Mapping(_),
                Kind::List {
                    of: of @ Kind::Group(_),
                    ..
                },
            ) => {
                let value = self.member(of, node, name);
                Ok(value.map(|value| Value::List(vec![value])))
            }
            (
                yaml::Kind::Mapping(_) | yaml::Kind::Sequence(_),
                Kind::Pairs {
                    max,
                    label_max,
                    text_max,
                },
            ) => Ok(pairs(
                self.findings,
                kind,
                node,
                [*max, *label_max, *text_max],
                name,
            )),
            (yaml::Kind::Mapping(entries), Kind::Group(members)) => {
                Ok(self.group(members, entries, span, name))
            }
            _ => Err(Misfit::of(kind, node)),
        }
    }

    /// The value of a scalar. A misfit leaves its text cleaned, and otherwise as it was.
    fn one_text(
        &mut self,
        kind: &'static Kind,
        (text, plain): (&mut String, bool),
        span: Span,
        name: &Name<'_>,
    ) -> Result<Option<Value>, Box<Misfit>> {
        let cleaned = clean(take(text), &mut self.findings.cleaned);
        let null = plain && (cleaned == "~" || !is_free_text(kind) && is_null_word(&cleaned));
        if cleaned.is_empty() || null {
            return Ok(None);
        }
        self.scalar(kind, cleaned, span, name).map_err(|other| {
            let message = mismatch(kind, &other);
            *text = other;
            Box::new(Misfit {
                span,
                message,
                help: help_with(kind, name, text),
            })
        })
    }

    /// The list of these items, each of which has to be of `kind`.
    fn list_of_members(
        &mut self,
        kind: &'static Kind,
        items: &mut [Node],
        name: &Name<'_>,
    ) -> Option<Value> {
        let mut values = Vec::with_capacity(items.len());
        values.extend(
            items
                .iter_mut()
                .filter_map(|item| self.member(kind, item, name)),
        );
        (!values.is_empty()).then_some(Value::List(values))
    }

    /// The value of a mapping whose `members` the table knows.
    fn group(
        &mut self,
        members: &'static [Field],
        entries: &mut [(Key, Node)],
        span: Span,
        name: &Name<'_>,
    ) -> Option<Value> {
        let values = self.fields(members, entries, Some(name), Some(span));
        let mut group = Vec::with_capacity(values.known.len() + values.own.len());
        let known = values.known.into_iter();
        group.extend(known.map(|(field, value)| (field.name.to_owned(), value)));
        group.extend(values.own);
        (!group.is_empty()).then_some(Value::Group(group))
    }

    /// The list of these texts, each of which has to be of `kind`.
    fn list_of_texts(
        &mut self,
        kind: &Kind,
        texts: Vec<String>,
        span: Span,
        name: &Name<'_>,
    ) -> Option<Value> {
        let mut values = Vec::with_capacity(texts.len());
        for text in texts {
            let text = clean(text, &mut self.findings.cleaned);
            if text.is_empty() {
                continue;
            }
            match self.scalar(kind, text, span, name) {
                Ok(value) => values.extend(value),
                Err(text) => {
                    let message = mismatch(kind, &text);
                    let help = help_with(kind, name, &text);
                    self.findings.error(&name.code(), Some(span), message, help);
                }
            }
        }
        (!values.is_empty()).then_some(Value::List(values))
    }

    /// An entry of a list, which has to be of the `kind` of its items.
    fn member(&mut self, kind: &'static Kind, node: &mut Node, name: &Name<'_>) -> Option<Value> {
        let value = self.value(kind, node, name);
        value.unwrap_or_else(|misfit| {
            self.report(misfit, name);
            None
        })
    }

    /// A scalar of `kind`; none if it is beyond the limits, and reported. An error is the text of one
    /// that is something else.
    fn scalar(
        &mut self,
        kind: &Kind,
        text: String,
        span: Span,
        name: &Name<'_>,
    ) -> Result<Option<Value>, String> {
        let value = match kind {
            Kind::Slug => slug(self.findings, text, span, name),
            _ => scalar(kind, text, &self.rules.timezone),
        };
        match value {
            Ok(value) => Ok(Some(value)),
            Err(Unfit::Other(text)) => Err(text),
            Err(Unfit::Beyond(text)) => {
                let message = mismatch(kind, &text);
                let help = help_with(kind, name, &text);
                self.findings.error(&name.code(), Some(span), message, help);
                Ok(None)
            }
        }
    }

    #[expect(clippy::boxed_local, reason = "as `value` hands it on")]
    fn report(&mut self, misfit: Box<Misfit>, name: &Name<'_>) {
        self.findings
            .error(&name.code(), Some(misfit.span), misfit.message, misfit.help);
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
}

/// Whether the second of two values of a field about who may see the article hides more of it. None
/// for other fields.
fn hides_more(field: &Field, first: &Value, second: &Value, timezone: &Timezone) -> Option<bool> {
    let at = |value: &Value| match value {
        Value::Text(date) => timezone.instant_ms(date),
        _ => None,
    };
    match field.name {
        "noindex" => Some(*second == Value::Flag(true)),
        "publish_at" => Some(at(second) > at(first)),
        "expires_at" => Some(at(second) < at(first)),
        _ => None,
    }
}

/// Whether no page may show the value of this field.
fn is_secret(name: &str) -> bool {
    ["password", "passphrase", "secret"]
        .iter()
        .any(|word| name.contains(word))
}

/// Shorter names are words of their own more often than slips: `data` is no `date`.
const MIN_SLIP: usize = 5;

/// A key with invisible characters in it still names its field.
fn find_cleaned(table: &[Field], key: &str) -> Option<usize> {
    if key.is_ascii() && !key.bytes().any(|b| b.is_ascii_control()) {
        return None;
    }
    let name = yaml::normalise(&clean(key.to_owned(), &mut super::text::Cleaned::default()));
    table.iter().position(|field| field.answers_to(&name))
}

/// Whether another field takes the place of `field`.
fn stands_in(table: &[Field], slots: &[Slot], field: &Field) -> bool {
    let mut pairs = table.iter().zip(slots);
    field.stand_in.is_some_and(|name| {
        pairs.any(|(other, slot)| other.name == name && (slot.value.is_some() || slot.wrong))
    })
}
