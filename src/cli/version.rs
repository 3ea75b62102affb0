//! What `anp --version` prints: the version, and how this program was built.

use std::sync::LazyLock;

/// The long form; `anp -V` prints the version alone.
pub(super) static LONG: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{}\ncommit    {}\ntarget    {}\nfeatures  {}",
        env!("CARGO_PKG_VERSION"),
        env!("ANP_COMMIT"),
        env!("ANP_TARGET"),
        features(),
    )
});

/// The cargo features of this build.
fn features() -> String {
    let all = [
        ("probe", cfg!(feature = "probe")),
        ("serve", cfg!(feature = "serve")),
    ];
    let names = all.iter().filter(|(_, is_built)| *is_built);
    let names: Vec<&str> = names.map(|(name, _)| *name).collect();
    match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    }
}
