//! What the list of articles is asked: words, a tag, a run, a page of it.

use form_urlencoded::{Serializer, parse};

/// Where the list of articles always is.
pub(in crate::serve) const INDEX: &str = "/_anp/";

/// The longest text that is searched for, in characters; what is longer is cut.
const MOST_CHARS: usize = 200;

/// A question, as the form or a link of the list asks it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    /// Words; all of them are in the title, the route or a tag.
    pub(super) words: String,
    /// A whole tag.
    pub(super) tag: String,
    /// A run; the last one that published something if empty.
    pub(super) run: String,
    /// Which page of the result, from 1.
    pub(super) page: usize,
}

impl Query {
    /// Reads a query string. What it knows nothing of is passed over; of two, the last counts.
    pub(super) fn read(text: &str) -> Self {
        let mut query = Self {
            page: 1,
            ..Self::default()
        };
        for (name, value) in parse(text.as_bytes()) {
            let value = value.replace(char::is_control, " ");
            let value: String = value.trim().chars().take(MOST_CHARS).collect();
            match name.as_ref() {
                "q" => query.words = value,
                "tag" => query.tag = value,
                "run" => query.run = value,
                "page" => query.page = value.parse().unwrap_or(1).max(1),
                _ => {}
            }
        }
        query
    }

    /// Whether it leaves articles out.
    pub(super) fn is_search(&self) -> bool {
        !(self.words.is_empty() && self.tag.is_empty())
    }

    /// The link that asks this.
    pub(super) fn link(&self) -> String {
        let mut pairs = Serializer::new(String::new());
        for (name, value) in [("q", &self.words), ("tag", &self.tag), ("run", &self.run)] {
            if !value.is_empty() {
                pairs.append_pair(name, value);
            }
        }
        if self.page > 1 {
            pairs.append_pair("page", &self.page.to_string());
        }
        match pairs.finish() {
            pairs if pairs.is_empty() => INDEX.to_owned(),
            pairs => format!("{INDEX}?{pairs}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Query;

    #[test]
    fn a_link_asks_what_it_was_made_of() {
        for text in [
            "",
            "q=a+%26+b%3D%22&tag=c%2B%2B&run=x",
            "tag=%3Cb%3E&page=3",
            "q=%C3%A9",
        ] {
            let query = Query::read(text);
            let link = query.link();
            let again = link.split_once('?').map_or("", |(_, text)| text);
            assert_eq!(Query::read(again), query, "{text}");
            assert_eq!(again, text);
        }
    }

    #[test]
    fn whatever_is_asked_is_some_question() {
        let query = Query::read("q=%ff%00a%0d%0ab&page=-1&page=x&tag=&unknown=1&&=");
        assert_eq!((query.words.as_str(), query.page), ("\u{fffd} a  b", 1));
        assert!(query.is_search());
        assert_eq!(Query::read("page=0").page, 1);
        assert_eq!(Query::read("page=99999999999999999999999").page, 1);
        let long = format!("q={}", "é".repeat(5000));
        assert_eq!(Query::read(&long).words.chars().count(), 200);
    }
}
