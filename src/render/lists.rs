//! The lists that pages link to: home, folders, and the values of fields.

use super::label;
use crate::article::schema::TABLE;
use crate::article::{Route, slugify};

/// The longest trail of folders that a page shows. Each crumb repeats the route up to it, so a deep
/// route without this limit would grow the page with its square.
const MAX_CRUMBS: usize = 8;

/// Which lists there are, so that pages link to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListLinks {
    /// `/` is a list.
    pub home: bool,
    /// Each folder above a listed article is a list.
    pub folders: bool,
    /// The fields whose values are lists, by the names of the schema or, for own fields, their keys.
    pub fields: Vec<String>,
}

impl ListLinks {
    /// Bytes that differ from those of other choices.
    pub(super) fn identity(&self) -> Vec<u8> {
        let mut identity = vec![u8::from(self.home), u8::from(self.folders)];
        for name in &self.fields {
            identity.extend(name.as_bytes());
            // No name has this byte in it.
            identity.push(0xff);
        }
        identity
    }

    /// The lists above `route`, from home down, by title and route.
    pub(super) fn crumbs(&self, route: &Route) -> Vec<(String, Route)> {
        let mut crumbs = Vec::new();
        let mut above = route.parent();
        while let Some(folder) = above.filter(|folder| self.folders && !folder.is_root()) {
            above = folder.parent();
            if crumbs.len() < MAX_CRUMBS {
                crumbs.push((folder_title(last_segment(&folder)), folder));
            }
        }
        if let Some(home) = self.home.then(Route::root) {
            crumbs.push(("Home".to_owned(), home));
        }
        crumbs.reverse();
        crumbs
    }
}

/// The route of the list of `value` of `field`: `/tags/redis/`. None if nothing of the value, or not all of
/// the name of the field, can stand in a route.
#[must_use]
pub fn value_route(field: &str, value: &str) -> Option<Route> {
    let slug = slugify(value);
    let is_empty = slug.is_empty();
    let route = format!("/{}/{slug}/", field.replace('_', "-"));
    Route::parse(&route).ok().filter(|_| !is_empty)
}

/// The title of a folder, by the last segment of its route: `redis-caching` → `Redis caching`.
#[must_use]
pub fn folder_title(segment: &str) -> String {
    let words = segment.replace('-', " ");
    let mut chars = words.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

/// What pages call a field: its label in the schema, or its key for people.
#[must_use]
pub fn field_label(name: &str) -> String {
    let mut text = String::new();
    match TABLE.iter().find(|field| field.name == name) {
        Some(field) => text.push_str(field.label),
        None if label::is_plain(name) => label::write(&mut text, name),
        None => text.push_str(name),
    }
    text
}

fn last_segment(route: &Route) -> &str {
    let segments = route.as_str().trim_end_matches('/');
    segments.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crumbs(links: &ListLinks, route: &str) -> Vec<(String, String)> {
        let crumbs = links.crumbs(&Route::parse(route).unwrap());
        let crumbs = crumbs.into_iter();
        crumbs.map(|(title, at)| (title, at.to_string())).collect()
    }

    #[test]
    fn crumbs_are_home_and_the_folders_above() {
        let owned = |crumbs: &[(&str, &str)]| {
            let crumbs = crumbs.iter();
            let crumbs = crumbs.map(|(title, at)| ((*title).to_owned(), (*at).to_owned()));
            crumbs.collect::<Vec<_>>()
        };
        let mut links = ListLinks {
            home: true,
            folders: true,
            fields: Vec::new(),
        };
        let both = [
            ("Home", "/"),
            ("Redis caching", "/redis-caching/"),
            ("2024", "/redis-caching/2024/"),
        ];
        assert_eq!(crumbs(&links, "/redis-caching/2024/a/"), owned(&both));
        assert_eq!(crumbs(&links, "/a/"), owned(&both[..1]));
        assert_eq!(crumbs(&links, "/"), owned(&both[..1]));
        links.home = false;
        assert_eq!(crumbs(&links, "/redis-caching/2024/a/"), owned(&both[1..]));
        links.folders = false;
        assert_eq!(crumbs(&links, "/redis-caching/2024/a/"), owned(&[]));
    }

    #[test]
    fn a_deep_route_has_few_crumbs() {
        let links = ListLinks {
            home: true,
            folders: true,
            fields: Vec::new(),
        };
        let crumbs = crumbs(&links, &"/a".repeat(1_000));
        assert_eq!(crumbs.len(), MAX_CRUMBS + 1);
        assert_eq!(crumbs[MAX_CRUMBS].1.len(), 999 * 2 + 1);
    }

    #[test]
    fn a_value_has_a_route_if_it_has_a_slug() {
        let route = |field, value| value_route(field, value).map(|route| route.to_string());
        assert_eq!(
            route("tags", "Redis 7.2").as_deref(),
            Some("/tags/redis-7-2/")
        );
        assert_eq!(route("my_field", "Ü").as_deref(), Some("/my-field/u/"));
        assert_eq!(route("tags", "!?"), None);
        assert_eq!(route("Mein Feld", "a"), None);
        assert_eq!(route("tags", &"a".repeat(121)), None);
    }

    #[test]
    fn fields_are_called_what_the_meta_box_calls_them() {
        assert_eq!(field_label("tools"), "Tools");
        assert_eq!(field_label("content_owner_id"), "Content owner ID");
        assert_eq!(field_label("Mein Feld"), "Mein Feld");
    }
}
