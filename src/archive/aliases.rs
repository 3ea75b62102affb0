//! The routes that redirect to articles: `aliases`.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::catalog::Catalog;
use super::lists::Lists;
use crate::article::Route;

/// Redirects from the routes that articles name, and the routes that make none.
#[derive(Debug, Default)]
pub struct Aliases {
    /// The articles by their other routes.
    pub routes: BTreeMap<Route, u32>,
    /// Those that cannot be followed.
    pub refused: Vec<RefusedAlias>,
}

/// An alias that makes no redirect.
#[derive(Debug)]
pub struct RefusedAlias {
    /// The number of its article.
    pub number: u32,
    /// As the article has it.
    pub name: String,
    /// Why it makes none.
    pub why: String,
}

impl Aliases {
    /// Those of all articles of `catalog`, which has these `lists`.
    #[must_use]
    pub fn of(catalog: &Catalog, lists: &Lists) -> Self {
        let mut aliases = Self::default();
        if catalog.aliases().is_empty() {
            return aliases;
        }
        let names = catalog.aliases().iter().flat_map(|(_, names)| names);
        let routes: HashSet<Route> = names.filter_map(|name| Route::parse(name).ok()).collect();
        // There are fewer of them than articles.
        let articles = (0..).zip(catalog.routes());
        let articles = articles.filter(|(_, route)| routes.contains(*route));
        let articles = articles.map(|(number, route)| (route, number)).collect();
        for (number, names) in catalog.aliases() {
            for name in names {
                if let Err(why) = aliases.add(*number, name, (&articles, lists), catalog) {
                    aliases.refused.push(RefusedAlias {
                        number: *number,
                        name: name.clone(),
                        why,
                    });
                }
            }
        }
        aliases
    }

    fn add(
        &mut self,
        number: u32,
        name: &str,
        (articles, lists): (&HashMap<&Route, u32>, &Lists),
        catalog: &Catalog,
    ) -> Result<(), String> {
        // A path without a slash at its end redirects to the one with it.
        let route = Route::parse(name).map_err(|_| {
            format!("no redirect from '{name}': expected a path of a-z, 0-9 and hyphens, such as /old/page/")
        })?;
        if let Some(other) = articles.get(&route) {
            return match *other == number {
                true => Err(format!(
                    "the alias {route} is the route of the article itself"
                )),
                false => Err(format!(
                    "no redirect from {route}: another article has that route"
                )),
            };
        }
        if let Some(list) = lists.owner(&route) {
            return Err(match list.route == route {
                true => format!("no redirect from {route}: a list has that route"),
                false => format!(
                    "no redirect from {route}: the list {} has its pages there",
                    list.route
                ),
            });
        }
        match self.routes.get(&route) {
            Some(other) if *other != number => {
                let other = catalog.route(*other);
                Err(format!(
                    "no redirect from {route}: it redirects to {other} already"
                ))
            }
            _ => {
                self.routes.insert(route, number);
                Ok(())
            }
        }
    }
}
