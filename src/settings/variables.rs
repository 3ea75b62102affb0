//! Variables of the environment that look like settings, and are none.

use super::keys::KEYS;
use crate::yaml::suggest::suggestion;

/// Variables that are read besides those of [`KEYS`].
const OTHERS: [&str; 9] = [
    "ANP_CLOUDFLARE_TOKEN",
    "ANP_CONFIG",
    "ANP_FAIL_POINT",
    "ANP_FASTLY_TOKEN",
    "ANP_LOG_FORMAT",
    "ANP_REDIS_PASSWORD",
    "ANP_RUN_ID",
    "ANP_SENTINEL_PASSWORD",
    "ANP_SHARDS",
];

/// One sentence for each `ANP_…` variable among `names` that nothing reads, in order.
#[must_use]
pub fn unknown_variables(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let known = || KEYS.iter().map(|(_, variable)| *variable).chain(OTHERS);
    let is_unknown = |name: &String| {
        name.starts_with("ANP_") && !is_of_kubernetes(name) && known().all(|other| other != name)
    };
    let mut names: Vec<String> = names.into_iter().filter(is_unknown).collect();
    names.sort();
    let sentence = |name: &String| {
        // What is left out at its start or end is no slip of the keyboard: ANP_REDIS, ANP_PASSWORD.
        let is_part =
            |known: &&str| known.starts_with(name.as_str()) || known.ends_with(&name[3..]);
        let meant = suggestion(name, known()).or_else(|| known().find(is_part));
        let meant = meant.map_or(String::new(), |meant| format!(" (did you mean {meant}?)"));
        format!("anp does not read the variable {name}{meant}")
    };
    names.iter().map(sentence).collect()
}

/// Kubernetes sets these in every container beside a service whose name begins with `anp`.
fn is_of_kubernetes(name: &str) -> bool {
    let name = name.trim_start_matches("ANP_");
    name.ends_with("SERVICE_HOST")
        || name.contains("SERVICE_PORT")
        || name.ends_with("_PORT")
        || name == "PORT"
        || name.contains("PORT_") && (name.contains("_TCP") || name.contains("_UDP"))
}

#[cfg(test)]
mod tests {
    use super::unknown_variables;

    fn said_of(name: &str) -> Option<String> {
        unknown_variables([name.to_owned()]).pop()
    }

    #[test]
    fn what_was_probably_meant_is_named() {
        for (name, meant) in [
            ("ANP_REDIS_ULR", "ANP_REDIS_URL"),
            ("ANP_REDIS", "ANP_REDIS_URL"),
            ("ANP_PASSWORD", "ANP_REDIS_PASSWORD"),
            ("ANP_MAX_REMOVED", "ANP_EXPECT_MAX_REMOVED"),
            ("ANP_LOGFORMAT", "ANP_LOG_FORMAT"),
        ] {
            let said = said_of(name).unwrap();
            assert!(said.contains(&format!("(did you mean {meant}?)")), "{said}");
        }
        assert_eq!(
            said_of("ANP_SOMETHING").unwrap(),
            "anp does not read the variable ANP_SOMETHING"
        );
    }

    #[test]
    fn known_variables_and_those_of_kubernetes_are_left_alone() {
        for name in [
            "ANP_REDIS_URL",
            "ANP_FAIL_POINT",
            "ANP_SERVICE_HOST",
            "ANP_SERVE_SERVICE_PORT_HTTP",
            "ANP_SERVE_PORT",
            "ANP_SERVE_PORT_8080_TCP_ADDR",
            "PATH",
        ] {
            assert_eq!(said_of(name), None);
        }
    }
}
