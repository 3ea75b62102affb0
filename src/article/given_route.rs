//! A route that the front matter gives: `route`, `url`, `permalink`, and slugs of more than one
//! segment.

use std::fmt::Write as _;

use percent_encoding::percent_decode_str;

use super::metadata::Metadata;
use super::naming::SourceName;
use super::route::{Route, Segments, slugify};
use crate::yaml::quoted;

/// Why a path cannot be the route of an article.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) message: String,
    pub(super) help: Option<&'static str>,
}

fn refused(message: String, help: Option<&'static str>) -> Refused {
    Refused { message, help }
}

/// The segments of a slug: each decoded and slugified. A leading `/` stays. If a segment has no letter
/// or digit (`../a`), the text is not a path, and all of it becomes one segment. None if nothing is left.
pub(super) fn slug_path(text: &str) -> Option<String> {
    let mut path = String::with_capacity(text.len());
    for part in text.trim().split('/').filter(|part| !part.is_empty()) {
        let slug = slugify(&percent_decode_str(part).decode_utf8_lossy());
        if slug.is_empty() {
            return Some(slugify(text)).filter(|slug| !slug.is_empty());
        }
        path.push('/');
        path.push_str(&slug);
    }
    match (text.starts_with('/'), path.strip_prefix('/')) {
        (true, None) => Some("/".to_owned()),
        (true, Some(_)) => Some(path),
        (false, inner) => inner.map(str::to_owned),
    }
}

/// The route that `text` gives to the source of this `name`: a path with placeholders (`:title`) as
/// Jekyll and Hugo have them, filled in from `metadata` and the name.
pub(super) fn route(
    text: &str,
    name: &SourceName<'_>,
    metadata: &Metadata,
) -> Result<Route, Refused> {
    if let Some(mark) = text.chars().find(|c| matches!(c, '?' | '#')) {
        let message = format!("expected a path without '{mark}', found {}", quoted(text));
        return Err(refused(message, None));
    }
    let path = filled(text, name, metadata)?;
    let path = path.strip_suffix("index.html").unwrap_or(&path);
    let path = [".html", ".htm"]
        .iter()
        .find_map(|ending| path.strip_suffix(ending))
        .unwrap_or(path);
    let mut route = Segments::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let part = percent_decode_str(part).decode_utf8_lossy();
        if part == "." || part == ".." {
            let message = format!("expected a path without '{part}', found {}", quoted(text));
            return Err(refused(message, None));
        }
        let pushed = route.push(&part);
        pushed.map_err(|error| refused(error.to_string(), None))?;
    }
    let route = route.finish();
    route.map_err(|error| refused(error.to_string(), Some("shorten the path")))
}

/// Whether `text` is the path of `route`, apart from slashes at its ends and `.html`.
pub(super) fn is_exact(text: &str, route: &Route) -> bool {
    let plain = |text: &str| {
        let text = text.strip_suffix("index.html").unwrap_or(text);
        let text = text.strip_suffix(".html").unwrap_or(text);
        text.trim_matches('/').to_owned()
    };
    placeholder(text).is_some() || plain(text) == route.as_str().trim_matches('/')
}

/// The first placeholder: where its colon is, and its word. A colon within a word begins none.
fn placeholder(text: &str) -> Option<(usize, &str)> {
    text.match_indices(':').find_map(|(at, _)| {
        let before = text[..at].chars().next_back();
        let word = &text[at + 1..];
        let end = word.find(|c: char| !c.is_ascii_alphabetic() && c != '_');
        let word = &word[..end.unwrap_or(word.len())];
        let begins = before.is_none_or(|c| matches!(c, '/' | '-' | '_' | '.'));
        (begins && !word.is_empty()).then_some((at, word))
    })
}

/// The `text` with its placeholders filled in.
fn filled(text: &str, name: &SourceName<'_>, metadata: &Metadata) -> Result<String, Refused> {
    let (mut path, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((at, word)) = placeholder(rest) {
        path.push_str(&rest[..at]);
        fill(&mut path, word, name, metadata)?;
        rest = &rest[at + 1 + word.len()..];
    }
    path.push_str(rest);
    Ok(path)
}

fn fill(
    path: &mut String,
    word: &str,
    name: &SourceName<'_>,
    metadata: &Metadata,
) -> Result<(), Refused> {
    let date = || {
        let date = metadata.text("date").or(name.date());
        date.filter(|date| date.len() >= 10).ok_or_else(|| {
            let message = format!("expected a date for ':{word}', found none");
            refused(message, Some("add a 'date', or write the path without it"))
        })
    };
    let without_zero = |digits: &str| digits.trim_start_matches('0').to_owned();
    let slug = || {
        let slug = metadata.text("slug").unwrap_or(name.stem());
        slug.trim_matches('/').to_owned()
    };
    // Values are slugified, so that none can change the path by a slash or dots.
    let mut slugs = |values: &mut dyn Iterator<Item = &str>| {
        for (at, value) in values.enumerate() {
            let _ = write!(path, "{}{}", if at > 0 { "/" } else { "" }, slugify(value));
        }
    };
    let value = match word {
        "year" => date()?[..4].to_owned(),
        "short_year" => date()?[2..4].to_owned(),
        "month" => date()?[5..7].to_owned(),
        "i_month" => without_zero(&date()?[5..7]),
        "day" => date()?[8..10].to_owned(),
        "i_day" => without_zero(&date()?[8..10]),
        "title" | "slug" | "slugorfilename" | "slugorcontentbasename" => slug(),
        "name" | "basename" | "filename" | "contentbasename" => slugify(name.stem()),
        "path" => {
            let own = name.folders().filter(|folder| !folder.starts_with('_'));
            slugs(&mut own.chain([name.stem()]));
            return Ok(());
        }
        "sections" => {
            slugs(&mut name.route_folders());
            return Ok(());
        }
        "section" => slugify(name.route_folders().next().unwrap_or_default()),
        "collection" => {
            let collection = name.folders().filter(|folder| folder.starts_with('_'));
            slugify(collection.last().unwrap_or_default())
        }
        "categories" | "slugified_categories" => {
            // The folders above `_posts` are categories too.
            let above = name.folders().position(|folder| folder == "_posts");
            let above = name.folders().take(above.unwrap_or(0));
            slugs(&mut above.chain(metadata.texts("categories")));
            return Ok(());
        }
        "output_ext" => String::new(),
        _ => {
            let message = format!("expected a placeholder that anp knows, found ':{word}'");
            let help = "it knows :title, :slug, :name, :path, :year, :month, :day, :i_month, \
                        :i_day, :short_year, :categories, :collection, :section, :sections and \
                        :output_ext";
            return Err(refused(message, Some(help)));
        }
    };
    path.push_str(&value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::metadata::Value;
    use super::super::naming::Languages;
    use super::super::schema::TABLE;
    use super::*;

    #[test]
    fn slugs_may_have_several_segments() {
        for (text, path) in [
            ("a", Some("a")),
            ("Other Name", Some("other-name")),
            ("a/b/", Some("a/b")),
            ("/2020/05/my-post/", Some("/2020/05/my-post")),
            ("/", Some("/")),
            ("caf%C3%A9", Some("cafe")),
            ("a%2Fb", Some("a-b")),
            ("100%", Some("100")),
            ("", None),
            ("a/?/b", Some("a-b")),
            ("../../etc/x", Some("etc-x")),
            ("?", None),
        ] {
            assert_eq!(slug_path(text).as_deref(), path, "{text}");
        }
    }

    fn given(text: &str, path: &str) -> String {
        let field = |wanted| TABLE.iter().find(|field| field.name == wanted).unwrap();
        let categories = ["Tips & Tricks", "b"].map(|text| Value::Text(text.to_owned()));
        let metadata = Metadata {
            entries: vec![
                (field("slug"), Value::Text("own".to_owned())),
                (field("categories"), Value::List(categories.into())),
            ],
            extra: Vec::new(),
        };
        let languages = Languages::default();
        let name = SourceName::new(Path::new(path), &languages).unwrap();
        match route(text, &name, &metadata) {
            Ok(route) => route.to_string(),
            Err(refused) => refused.message,
        }
    }

    #[test]
    fn a_permalink_is_the_route() {
        let post = "blog/_posts/2020-01-02-Hello.md";
        for (text, route) in [
            ("/about/", "/about/"),
            ("about", "/about/"),
            ("/other/place.html", "/other/place/"),
            ("/other/index.html", "/other/"),
            ("/", "/"),
            ("/caf%C3%A9/", "/cafe/"),
            ("/A b/", "/a-b/"),
            ("/:year/:month/:day/:title:output_ext", "/2020/01/02/own/"),
            (
                "/:categories/:i_month-:i_day/:name.html",
                "/blog/tips-tricks/b/1-2/hello/",
            ),
            ("/:collection/:path/", "/posts/blog/hello/"),
            ("/:section/:slug", "/blog/own/"),
            ("/a:title/", "/a-title/"),
            ("/x?y", "expected a path without '?', found '/x?y'"),
            ("/x#y", "expected a path without '#', found '/x#y'"),
            ("/../x/", "expected a path without '..', found '/../x/'"),
            (
                "/a/%2E%2E/",
                "expected a path without '..', found '/a/%2E%2E/'",
            ),
            ("/!/", "expected a name with letters or digits, found '!'"),
            (
                "/:y_day/",
                "expected a placeholder that anp knows, found ':y_day'",
            ),
        ] {
            assert_eq!(given(text, post), route, "{text}");
        }
        let undated = given("/:year/:title/", "a.md");
        assert_eq!(undated, "expected a date for ':year', found none");
        assert_eq!(
            given("/:categories/:title/", "a/b.md"),
            "/tips-tricks/b/own/"
        );
    }
}
