//! Which routes and files of many are checked.

use std::collections::BTreeSet;

/// `count` of the routes or files, as far apart as can be, and the same ones every time.
#[must_use]
pub fn sample<T>(routes: Vec<T>, count: usize) -> Vec<T> {
    let all = routes.len();
    if all <= count {
        return routes;
    }
    let chosen: BTreeSet<usize> = (0..count).map(|index| index * all / count).collect();
    let numbered = routes.into_iter().enumerate();
    let kept = numbered.filter(|(index, _)| chosen.contains(index));
    kept.map(|(_, route)| route).collect()
}

#[cfg(test)]
mod tests {
    use super::sample;
    use crate::article::Route;

    fn routes(count: usize) -> Vec<Route> {
        let numbered = (0..count).map(|number| Route::parse(&format!("/n{number}/")));
        numbered.map(Result::unwrap).collect()
    }

    #[test]
    fn a_sample_is_even_and_has_no_more_than_there_is() {
        let shown = |all: usize, count: usize| {
            let chosen = sample(routes(all), count);
            chosen
                .iter()
                .map(|route| route.as_str().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(shown(10, 4), ["/n0/", "/n2/", "/n5/", "/n7/"]);
        assert_eq!(shown(3, 3), ["/n0/", "/n1/", "/n2/"]);
        assert_eq!(shown(2, 20).len(), 2);
        assert_eq!(shown(1_000, 20).len(), 20);
        assert!(shown(0, 5).is_empty());
    }
}
