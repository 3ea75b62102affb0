//! The table of contents of a long article.

use super::{escape, url};

/// Fewer headings need no table.
const LEAST_HEADINGS: usize = 4;

/// A shorter body needs none, in bytes of HTML.
const LEAST_BYTES: usize = 6_000;

/// Most headings that are listed.
const MOST_HEADINGS: usize = 200;

/// The headings of levels 2 and 3.
#[derive(Debug, Default)]
pub(super) struct Contents {
    headings: Vec<Heading>,
}

#[derive(Debug)]
struct Heading {
    is_main: bool,
    id: String,
    text: String,
}

impl Contents {
    /// Adds a heading, with its id on the page and its text.
    pub(super) fn add(&mut self, level: u8, id: &str, text: &str) {
        if level <= 3 && self.headings.len() < MOST_HEADINGS && !text.trim().is_empty() {
            self.headings.push(Heading {
                is_main: level == 2,
                id: id.to_owned(),
                text: text.to_owned(),
            });
        }
    }

    /// The table for a body of `bytes` of HTML, or nothing.
    pub(super) fn write(&self, bytes: usize) -> String {
        if self.headings.len() < LEAST_HEADINGS || bytes < LEAST_BYTES {
            return String::new();
        }
        let mut out = String::with_capacity(self.headings.len() * 80 + 160);
        out.push_str(
            "<nav class=\"toc\" aria-label=\"Contents\">\n<details>\n<summary>Contents</summary>\n<ul dir=\"auto\">\n",
        );
        let mut is_inside = false;
        for (at, heading) in self.headings.iter().enumerate() {
            if at > 0 {
                out.push_str(match (is_inside, heading.is_main) {
                    (false, false) => "<ul>",
                    (true, true) => "</li></ul></li>\n",
                    _ => "</li>\n",
                });
            }
            is_inside = at > 0 && !heading.is_main;
            out.push_str("<li><a href=\"#");
            url::write(&mut out, &heading.id);
            out.push_str("\">");
            escape::text(&mut out, &heading.text);
            out.push_str("</a>");
        }
        out.push_str(if is_inside {
            "</li></ul></li>\n"
        } else {
            "</li>\n"
        });
        out.push_str("</ul>\n</details>\n</nav>\n");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::{Contents, LEAST_BYTES};

    fn contents(headings: &[(u8, &str)]) -> Contents {
        let mut contents = Contents::default();
        for (level, text) in headings {
            contents.add(*level, &text.to_lowercase(), text);
        }
        contents
    }

    #[test]
    fn headings_of_two_levels_are_lists_in_a_list() {
        let some = contents(&[(3, "A"), (2, "B"), (3, "C"), (3, "D"), (4, "E"), (2, "F<")]);
        let html = some.write(LEAST_BYTES);
        let list = &html[html.find("<ul").unwrap()..html.find("</details>").unwrap()];
        let expected = "<ul dir=\"auto\">
<li><a href=\"#a\">A</a></li>
<li><a href=\"#b\">B</a><ul><li><a href=\"#c\">C</a></li>
<li><a href=\"#d\">D</a></li></ul></li>
<li><a href=\"#f%3C\">F&lt;</a></li>
</ul>
";
        assert_eq!(list, expected);
    }

    #[test]
    fn a_short_article_has_none() {
        let four = contents(&[(2, "A"), (2, "B"), (2, "C"), (2, "D")]);
        assert_eq!(four.write(LEAST_BYTES - 1), "");
        assert!(!four.write(LEAST_BYTES).is_empty());
        assert_eq!(
            contents(&[(2, "A"), (2, "B"), (2, "C")]).write(LEAST_BYTES),
            ""
        );
    }
}
