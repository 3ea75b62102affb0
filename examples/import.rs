//! Imports a folder: `cargo run --example import -- FOLDER redis://127.0.0.1:6379/0 STATE_FOLDER`

use anp::failure::Failure;
use anp::publish::{self, Import, Outcome, Report};
use anp::settings::{Settings, Sources};

/// Prints warnings; the other methods of the trait do nothing unless they are overridden.
struct Warnings;

impl Report for Warnings {
    fn warning(&mut self, message: &str) {
        eprintln!("warning: {message}");
    }
}

/// Imports the articles below `content`; manifests go below `state_dir`.
pub fn import(content: &str, redis: &str, state_dir: &str) -> Result<Outcome, Failure> {
    let flags = [
        ("content", content),
        ("redis", redis),
        ("state_dir", state_dir),
    ];
    let settings = Settings::load(&Sources {
        config: Some("/dev/null".as_ref()),
        flags: flags.map(|(key, text)| (key, text.to_owned())).to_vec(),
        env: &|_| None,
        current_dir: ".".as_ref(),
    })?;
    // Another thread may set this flag: the import then ends between two batches.
    let interrupted = std::sync::Arc::default();
    publish::import(&settings, &Import::default(), &interrupted, &mut Warnings)
}

fn main() -> Result<(), Failure> {
    let mut words = std::env::args().skip(1);
    let mut next = |what: &str| words.next().unwrap_or_else(|| panic!("expected {what}"));
    let outcome = import(&next("a folder"), &next("a URL"), &next("a state folder"))?;
    println!("{} keys written", outcome.counts.written());
    Ok(())
}
