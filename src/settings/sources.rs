//! Which files are read, and how their paths become routes.

use super::reader::Reader;
use crate::article::{Languages, Naming, RoutePattern};
use crate::source::{Choice, Patterns};
use crate::yaml::{Node, YamlError};

impl Reader {
    /// Where `drafts` are published, the folder in which Jekyll has them is read.
    pub(super) fn choice(&mut self, drafts: bool) -> Choice {
        let mut include = self.get("include", Vec::new(), texts);
        if drafts {
            include.push("_drafts/".to_owned());
        }
        Choice {
            include: self.patterns("include", include),
            exclude: {
                let exclude = self.get("exclude", Vec::new(), texts);
                self.patterns("exclude", exclude)
            },
        }
    }

    fn patterns(&mut self, key: &'static str, texts: Vec<String>) -> Patterns {
        Patterns::new(texts).unwrap_or_else(|why| {
            self.get(key, (), |node| {
                let expected = format!("patterns in the syntax of .gitignore ({why})");
                Err(node.mismatch(&expected))
            });
            Patterns::default()
        })
    }

    pub(super) fn naming(&mut self, site_lang: &str) -> Naming {
        let pattern = self.get("route", RoutePattern::default(), |node| {
            RoutePattern::parse(node.text()?).ok_or_else(|| node.mismatch(RoutePattern::EXPECTED))
        });
        let listed = self.get("languages", Vec::new(), |node| {
            let tags = texts(node)?;
            let is_part = |part: &str| {
                (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
            };
            if tags.is_empty()
                || !tags
                    .iter()
                    .all(|tag| tag.len() <= 11 && tag.split('-').all(is_part))
            {
                return Err(node.mismatch("language tags (for example en, fr, pt-BR)"));
            }
            Ok(tags)
        });
        Naming {
            pattern,
            languages: Languages::new(site_lang, &listed),
        }
    }
}

/// A list, or (in a flag or a variable) texts with commas between them.
pub(super) fn texts(node: &Node) -> Result<Vec<String>, YamlError> {
    let texts: Vec<&str> = match node.list() {
        Ok(items) => items.iter().map(Node::text).collect::<Result<_, _>>()?,
        Err(_) => node.text()?.split(',').map(str::trim).collect(),
    };
    Ok(texts.into_iter().map(str::to_owned).collect())
}
