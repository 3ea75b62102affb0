//! Own fields as values of templates: `{{ extra.author_url }}`, `{% for part in extra.series %}`.
//!
//! A field that an article lacks is empty at any depth, as all variables of templates are: it prints
//! nothing, is false, and has no entries.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, Value};

use crate::article;

/// A mapping of an article, or nothing.
#[derive(Debug)]
struct Mapping(Vec<(String, Value)>);

impl Object for Mapping {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let found = self.0.iter().find(|(name, _)| name == key);
        Some(found.map_or_else(|| mapping(&[]), |(_, value)| value.clone()))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names = self.0.iter().map(|(name, _)| Value::from(name.as_str()));
        Enumerator::Values(names.collect())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = self.0.iter().enumerate();
        members.into_iter().try_for_each(|(index, (name, value))| {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{name}: {value}")
        })
    }
}

/// The own fields of an article.
pub(super) fn mapping(members: &[(String, article::Value)]) -> Value {
    let members = members.iter();
    let members = members.map(|(name, member)| (name.clone(), value(member)));
    Value::from_object(Mapping(members.collect()))
}

fn value(value: &article::Value) -> Value {
    match value {
        article::Value::Text(text) => Value::from(text.as_str()),
        article::Value::Number(number) => Value::from(*number),
        article::Value::Decimal(number) => match (number.parse::<i64>(), number.parse::<f64>()) {
            (Ok(number), _) => Value::from(number),
            (_, Ok(number)) => Value::from(number),
            _ => Value::from(number.as_str()),
        },
        article::Value::Flag(set) => Value::from(*set),
        article::Value::List(items) => items.iter().map(self::value).collect(),
        article::Value::Group(members) => mapping(members),
        article::Value::Pairs(pairs) => {
            let pairs = pairs.iter();
            let pair = |(label, text): &(String, String)| {
                let text = article::Value::Text(text.clone());
                mapping(&[(label.clone(), text)])
            };
            pairs.map(pair).collect()
        }
    }
}
