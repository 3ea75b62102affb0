//! What the list of articles is asked: words, a tag, a folder, a run, an order, a page of it.

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
    /// The route of a folder: only articles below it.
    pub(super) section: String,
    /// A run; what the store holds if empty.
    pub(super) run: String,
    /// What comes first.
    pub(super) sort: Sort,
    /// Which page of the result, from 1.
    pub(super) page: usize,
}

/// What articles are ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    /// Their routes.
    #[default]
    Route,
    /// Their titles.
    Title,
    /// Their dates, newest first.
    Date,
    /// When they were written to the store, newest first.
    Written,
}

impl Sort {
    /// All of them, each with its word and what it is called.
    pub(super) const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Route, "route", "Route"),
        (Self::Title, "title", "Title"),
        (Self::Date, "date", "Date, newest first"),
        (Self::Written, "written", "Written last"),
    ];

    /// Its word in links.
    pub(super) fn word(self) -> &'static str {
        let found = Self::ALL.into_iter().find(|(sort, _, _)| *sort == self);
        found.map_or("", |(_, word, _)| word)
    }

    fn of(word: &str) -> Self {
        let found = Self::ALL.into_iter().find(|(_, known, _)| *known == word);
        found.map_or(Self::default(), |(sort, _, _)| sort)
    }
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
                "section" => query.section = value,
                "run" => query.run = value,
                "sort" => query.sort = Sort::of(&value),
                "page" => query.page = value.parse().unwrap_or(1).max(1),
                _ => {}
            }
        }
        query
    }

    /// Whether it leaves articles out.
    pub(super) fn is_search(&self) -> bool {
        !(self.words.is_empty() && self.tag.is_empty() && self.section.is_empty())
    }

    /// The link that asks this.
    pub(super) fn link(&self) -> String {
        let mut pairs = Serializer::new(String::new());
        let sort = match self.sort {
            Sort::Route => "",
            sort => sort.word(),
        };
        for (name, value) in [
            ("q", self.words.as_str()),
            ("tag", &self.tag),
            ("section", &self.section),
            ("run", &self.run),
            ("sort", sort),
        ] {
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
            "section=%2Fa%2Fb%2F&sort=written",
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
