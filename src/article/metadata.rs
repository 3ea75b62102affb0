//! The validated fields of an article, as a small generic tree in the order of the schema.

use super::schema::Field;

/// One cleaned value. Texts are NFC, trimmed, and free of control and bidi-override
/// characters. Empty values do not exist: an empty field is an absent one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text, token, date (as RFC 3339 or `YYYY-MM-DD`), version, duration or URL.
    Text(String),
    /// A whole number.
    Number(u64),
    /// Any other number, as JSON writes it: below zero, or with decimals.
    Decimal(String),
    /// A flag: shown and serialised as `true` or `false`.
    Flag(bool),
    /// A list, in source order.
    List(Vec<Value>),
    /// Named values: a group (`score`), an entity. Names differ from each other.
    Group(Vec<(String, Value)>),
    /// Labels with their texts, such as the steps of an outline. Labels may repeat.
    Pairs(Vec<(String, String)>),
}

/// The fields of one article, in the order of the schema table.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    /// Field and value, in table order; each field at most once.
    pub entries: Vec<(&'static Field, Value)>,
    /// Fields that the table does not know, and values that a field of the table was not meant
    /// for, by their key as it was written. In source order, each key once.
    pub extra: Vec<(String, Value)>,
}

impl Metadata {
    /// The value of the top-level field `name` (normalised form, `reading_time`).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries
            .iter()
            .find(|(field, _)| field.name == name)
            .map(|(_, value)| value)
    }

    /// Sets a field of the table `fields` that has no value yet.
    pub(super) fn add(&mut self, fields: &'static [Field], name: &str, value: Value) {
        let place = |name: &str| fields.iter().position(|field| field.name == name);
        let Some(at) = place(name) else {
            return;
        };
        let before = |(field, _): &(&Field, Value)| place(field.name) < Some(at);
        let index = self.entries.partition_point(before);
        self.entries.insert(index, (&fields[at], value));
    }

    /// The text of the top-level field `name`, if it is set and a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The texts of the top-level list `name`; none if it is not set.
    #[must_use]
    pub fn texts(&self, name: &str) -> Vec<&str> {
        let Some(Value::List(items)) = self.get(name) else {
            return Vec::new();
        };
        let texts = items.iter().filter_map(|item| match item {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// Whether the flag `group.name` (for example `flags.has_images`) is set to true.
    #[must_use]
    pub fn flag(&self, group: &str, name: &str) -> bool {
        match self.get(group) {
            Some(Value::Group(members)) => members
                .iter()
                .any(|(member, value)| member == name && *value == Value::Flag(true)),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::read_schema;
    use super::*;

    #[test]
    fn a_field_is_added_at_its_place_in_the_table_of_the_team() {
        let text = "fields:\n  a: {type: text}\n  date: {label: Day}\n";
        let fields = read_schema(text).unwrap().fields();
        let entry = |name: &str| {
            let field = fields.iter().find(|field| field.name == name).unwrap();
            (field, Value::Text(name.to_owned()))
        };
        let mut metadata = Metadata {
            entries: ["title", "tags", "a"].map(entry).into(),
            extra: Vec::new(),
        };
        metadata.add(fields, "date", Value::Text("2019-08-08".to_owned()));
        let labels: Vec<&str> = metadata
            .entries
            .iter()
            .map(|(field, _)| field.label)
            .collect();
        assert_eq!(labels, ["Title", "Day", "Tags", "A"]);
    }
}
