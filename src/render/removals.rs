//! What the rendering of an article left out, with places.

use crate::characters::is_hidden;

/// How many different things are named; further ones are only counted.
const MAX_NAMED: usize = 16;

/// How much of a URL or name is shown, in characters.
const MAX_SHOWN: usize = 80;

/// What the rendering of an article left out because no page may carry it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removals {
    /// Each thing once, in the order in which the body has them.
    pub named: Vec<Removal>,
    /// How many further things were left out.
    pub unnamed: u32,
}

/// One thing that was left out, once or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// What it is.
    pub what: Removed,
    /// How often it was left out.
    pub times: u32,
    /// Its first place, in bytes of [`Body::markdown`](crate::article::Body::markdown), if known.
    pub offset: Option<usize>,
}

/// A thing that pages may not carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    /// An element, by its name: `iframe`.
    Element(String),
    /// A component of MDX, by its name: `Tabs`.
    Component(String),
    /// An element that pages may have, but not in this place: `div`.
    Misplaced(String),
    /// An element that its author hides, with its content: `div`.
    Hidden(String),
    /// A URL that is neither relative nor of an allowed scheme, shortened.
    Url(String),
}

impl Removal {
    /// Code and message of the finding about it.
    #[must_use]
    pub fn finding(&self) -> (&'static str, String) {
        let times = match self.times {
            1 => String::new(),
            times => format!(" ({times} times)"),
        };
        let message = match &self.what {
            Removed::Element(name) => format!("removed <{name}>{times}, which is not allowed"),
            Removed::Misplaced(name) => format!("removed <{name}>{times}, which cannot stand here"),
            Removed::Hidden(name) => {
                format!("removed a hidden <{name}>{times} with all that is in it")
            }
            Removed::Component(name) => format!(
                "removed <{name}>{times}, which looks like a component of MDX: anp does not run it"
            ),
            Removed::Url(url) => format!(
                "removed the URL '{url}'{times}, which is not allowed (allowed: http, https, \
                 relative; in links also mailto, tel, sms)"
            ),
        };
        let code = match self.what {
            Removed::Component(_) => "body.foreign",
            _ => "body.html",
        };
        (code, message)
    }
}

impl Removed {
    /// A URL, shortened.
    pub(super) fn url(url: &str) -> Self {
        let visible = url
            .chars()
            .map(|c| if is_hidden(c) { '\u{fffd}' } else { c });
        let mut shown: String = visible.clone().take(MAX_SHOWN).collect();
        if visible.count() > MAX_SHOWN {
            shown.push('…');
        }
        Self::Url(shown)
    }

    /// How many characters of the source it takes.
    #[must_use]
    pub fn length(&self) -> u32 {
        let length = match self {
            Self::Url(url) => url.chars().count(),
            Self::Element(name)
            | Self::Component(name)
            | Self::Misplaced(name)
            | Self::Hidden(name) => name.chars().count() + 1,
        };
        length as u32 // of no more than MAX_SHOWN characters
    }

    /// A component, by its name.
    pub(super) fn component(name: &str) -> Self {
        Self::Component(name.chars().take(MAX_SHOWN).collect())
    }

    /// A tag, by its name as its author wrote it.
    pub(super) fn tag(name: &str) -> Self {
        let name: String = name.chars().take(MAX_SHOWN).collect();
        let is_component = name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.contains(|c: char| c.is_ascii_lowercase());
        if is_component {
            Self::Component(name)
        } else {
            Self::Element(name.to_ascii_lowercase())
        }
    }
}

impl Removals {
    /// Counts a thing that was left out.
    pub(super) fn add(&mut self, what: Removed, offset: Option<usize>) {
        match self.named.iter().position(|named| named.what == what) {
            Some(index) => self.named[index].times += 1,
            None if self.named.len() < MAX_NAMED => {
                let times = 1;
                self.named.push(Removal {
                    what,
                    times,
                    offset,
                });
            }
            None => self.unnamed += 1,
        }
    }

    /// Whether nothing was left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.named.is_empty() && self.unnamed == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_named_once_and_a_flood_is_counted() {
        let mut removals = Removals::default();
        assert!(removals.is_empty());
        removals.add(Removed::tag("iframe"), Some(7));
        removals.add(Removed::tag("IFRAME"), Some(9));
        removals.add(Removed::tag("Tabs"), None);
        removals.add(Removed::url(&"a\u{0}".repeat(100)), None);
        for name in 0..20 {
            removals.add(Removed::tag(&format!("x{name}")), None);
        }
        assert_eq!((removals.named.len(), removals.unnamed), (MAX_NAMED, 7));
        let first = &removals.named[0];
        let expected = (&Removed::Element("iframe".to_owned()), 2, Some(7));
        assert_eq!((&first.what, first.times, first.offset), expected);
        assert_eq!(
            removals.named[1].what,
            Removed::Component("Tabs".to_owned())
        );
        let url = "a\u{fffd}".repeat(MAX_SHOWN / 2) + "…";
        assert_eq!(removals.named[2].what, Removed::Url(url));
    }
}
