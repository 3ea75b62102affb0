//! The section of a page that links to similar posts.

use minijinja::{Value, context};

use crate::article::Route;

/// What stands on a page where its similar posts are to be, until they are known. No article can have it
/// on its page: comments are removed, and `<` is escaped.
pub const SIMILAR_HOLE: &str = "<!--anp:similar-->";

/// The variables of `similar.html`.
pub(super) const VARIABLES: [&str; 5] = ["similar", "lang", "site_name", "site_url", "home"];

/// A post that a page links to because it is similar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimilarPost {
    /// Where it is served.
    pub route: Route,
    /// Its title.
    pub title: String,
    /// Its date, or empty.
    pub date: String,
}

impl SimilarPost {
    /// About how many bytes a template needs to show the post once.
    pub(super) fn bytes(&self) -> usize {
        self.route.as_str().len() + self.title.len() + 256
    }
}

/// The values of the variables.
pub(super) fn view(posts: &[SimilarPost], lang: &str, site_name: &str, site_url: &str) -> Value {
    let posts = posts.iter().map(|post| {
        context! {
            title => post.title.as_str(),
            route => post.route.as_str(),
            url => format!("{site_url}{}", post.route),
            date => post.date.as_str(),
        }
    });
    context! {
        similar => posts.collect::<Vec<_>>(),
        lang, site_name, site_url,
        home => format!("{site_url}/"),
    }
}

/// A post for rehearsals.
pub(super) fn sample() -> SimilarPost {
    SimilarPost {
        route: Route::parse("/rehearsal/similar/").expect("each segment is a slug"),
        title: "A similar post".to_owned(),
        date: "2026-01-30".to_owned(),
    }
}
