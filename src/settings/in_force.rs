//! Which settings were given, and where: what `--verbose` shows.

use super::reader::{Origin, Reader};
use crate::yaml::{Kind, Node};

/// A setting that does not have its default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// Its key in anp.yaml.
    pub key: &'static str,
    /// Its text; none where that may hold a password.
    pub text: Option<String>,
    /// The flag, the variable, or the line of the settings file.
    pub origin: String,
}

impl Reader {
    /// The settings that were given, in the order of [`super::KEYS`].
    pub(super) fn in_force(&self) -> Vec<InForce> {
        let mut all: Vec<InForce> = super::KEYS
            .iter()
            .filter_map(|(key, _)| self.one_in_force(key))
            .collect();
        if let Some(content) = self.named_content() {
            all.retain(|setting| setting.key != "content");
            all.push(InForce {
                key: "content",
                text: Some(content.to_owned()),
                origin: "CONTENT".to_owned(),
            });
        }
        all
    }

    fn one_in_force(&self, key: &'static str) -> Option<InForce> {
        let (node, origin) = self.given(key)?;
        let origin = match origin {
            Origin::Flag => super::keys::flag_name(key),
            Origin::Variable(variable) => (*variable).to_owned(),
            Origin::File => {
                let file = self.file.as_ref()?;
                format!("{}:{}", file.path.display(), node.span.line)
            }
        };
        Some(InForce {
            key,
            text: (key != "redis").then(|| text_of(node)),
            origin,
        })
    }
}

/// A value on one line.
fn text_of(node: &Node) -> String {
    match &node.kind {
        Kind::Scalar { text, .. } => text.trim().replace('\n', " "),
        Kind::Sequence(items) => {
            let items: Vec<String> = items.iter().map(text_of).collect();
            format!("[{}]", items.join(", "))
        }
        Kind::Mapping(entries) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, value)| format!("{}: {}", key.name, text_of(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}
