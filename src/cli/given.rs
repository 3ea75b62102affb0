//! Settings that were given as flags.

/// Those of `options` that were given: key of the setting, text.
pub(super) fn given<const N: usize>(
    options: [(&'static str, Option<String>); N],
) -> Vec<(&'static str, String)> {
    options
        .into_iter()
        .filter_map(|(key, text)| text.map(|text| (key, text)))
        .collect()
}
