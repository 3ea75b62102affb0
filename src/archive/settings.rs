//! Which archive objects are made.

use crate::article::{Route, slugify};

/// The fields that have lists where the settings name none.
pub const DEFAULT_FIELDS: [&str; 4] = ["tags", "stack", "tools", "categories"];

/// Which archive objects are made. The default is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchiveSettings {
    /// How many similar posts stand under each article; 0: none.
    pub similar: usize,
    /// Which lists there are; none: no list.
    pub lists: Option<ListSettings>,
    /// How many articles a feed has; none: no feed.
    pub feeds: Option<usize>,
    /// Whether there is a sitemap.
    pub sitemap: bool,
    /// Whether there is a robots.txt that names the sitemap.
    pub robots_txt: bool,
    /// Whether there is an llms.txt.
    pub llms_txt: bool,
    /// How long the old route of an article that moved redirects to the new one, in ms; none: no redirects.
    pub redirects: Option<i64>,
    /// Whether each article has a text: itself, as Markdown.
    pub text: bool,
}

/// Which lists there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListSettings {
    /// One of all articles, at `/`.
    pub home: bool,
    /// One of each folder.
    pub folders: bool,
    /// One of each value of these fields: `/tags/redis/`.
    pub fields: Vec<String>,
    /// How many articles a page of a list has.
    pub per_page: usize,
}

impl Default for ListSettings {
    fn default() -> Self {
        Self {
            home: true,
            folders: true,
            fields: DEFAULT_FIELDS.map(str::to_owned).into(),
            per_page: 50,
        }
    }
}

impl ArchiveSettings {
    /// Whether anything is made at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        *self != Self::default()
    }

    /// Whether anything is made from many articles.
    #[must_use]
    pub fn is_of_many(&self) -> bool {
        let others = Self {
            text: false,
            ..self.clone()
        };
        others.is_on()
    }

    /// The fields that have lists.
    #[must_use]
    pub fn fields(&self) -> &[String] {
        self.lists.as_ref().map_or(&[], |lists| &lists.fields)
    }

    /// What tells these settings from others. Empty for the default.
    #[must_use]
    pub fn identity(&self) -> Vec<u8> {
        match self.is_on() {
            true => format!("{self:?}").into_bytes(),
            false => Vec::new(),
        }
    }
}

/// The route of the page with all values of `field`.
#[must_use]
pub fn field_route(field: &str) -> Option<Route> {
    Route::parse(&format!("/{}/", slugify(field))).ok()
}
