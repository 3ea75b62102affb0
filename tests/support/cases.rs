//! Which cases of an exhaustive loop a run of the tests tries.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// The cases of an exhaustive loop that this run tries: one in `every`, others after each commit
/// (`ANP_TEST_SEED`, which scripts/test.sh derives from it). `ANP_TEST_WHOLE=1`, as `make test-all`
/// sets it, tries each. `loop_name` tells loops apart, so that not all begin at the same case.
pub fn cases(loop_name: &str, every: usize) -> impl Iterator<Item = usize> {
    share_of_cases(loop_name, every, 1)
}

/// One in `share` of the cases that [`cases`] would try, other ones after each commit: for a loop that says
/// nearly the same as another one.
pub fn share_of_cases(loop_name: &str, every: usize, share: usize) -> impl Iterator<Item = usize> {
    let is_whole = std::env::var_os("ANP_TEST_WHOLE").is_some_and(|whole| whole == "1");
    let every = if is_whole { share } else { every * share };
    let mut hasher = DefaultHasher::new();
    (std::env::var("ANP_TEST_SEED").ok(), loop_name).hash(&mut hasher);
    let first = (hasher.finish() % every as u64) as usize;
    (first..).step_by(every)
}
