//! How messages count and list things.

/// A number and what it is a number of: `1 file`, `2 files`, `0 replies`.
#[must_use]
pub fn counted(number: u64, noun: &str) -> String {
    match (number, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{number} {stem}ies"),
        _ => format!("{number} {noun}s"),
    }
}

/// The form of a word that goes with a number: `is` with 1, `are` with others.
#[must_use]
pub fn with<'w>(number: u64, one: &'w str, others: &'w str) -> &'w str {
    if number == 1 { one } else { others }
}

/// The first of `all` things by their names, and how many there are besides: `a, b and 7 more`.
#[must_use]
pub fn listed(names: impl IntoIterator<Item = String>, all: usize) -> String {
    let names: Vec<String> = names.into_iter().collect();
    let more = all.saturating_sub(names.len());
    let names = names.join(", ");
    if more == 0 {
        names
    } else {
        format!("{names} and {more} more")
    }
}

#[cfg(test)]
mod tests {
    use super::{counted, listed};

    #[test]
    fn one_is_singular() {
        assert_eq!(counted(1, "article"), "1 article");
        assert_eq!(counted(0, "article"), "0 articles");
        assert_eq!(counted(2, "entry"), "2 entries");
        assert_eq!(counted(2, "key"), "2 keys");
    }

    #[test]
    fn what_is_not_named_is_counted() {
        let names = || ["a", "b"].map(str::to_owned);
        assert_eq!(listed(names(), 2), "a, b");
        assert_eq!(listed(names(), 9), "a, b and 7 more");
        assert_eq!(listed([], 0), "");
    }
}
