//! How long a run may take.

use std::time::{Duration, Instant};

use thiserror::Error;

use crate::duration;

/// The time that a run may take, from its start.
#[derive(Clone, Copy, Debug)]
pub struct TimeLimit {
    /// When the run started.
    pub started: Instant,
    /// How long it may take.
    pub most: Duration,
}

/// The run takes longer than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("expected at most {}, found {}", shown(*.most), shown(*.found))]
pub struct TimedOut {
    /// How long it may take.
    pub most: Duration,
    /// How long it has taken so far.
    pub found: Duration,
}

impl TimeLimit {
    /// Looks at the clock.
    ///
    /// # Errors
    /// When the time is up.
    pub fn check(&self) -> Result<(), TimedOut> {
        let found = self.started.elapsed();
        if found > self.most {
            let most = self.most;
            return Err(TimedOut { most, found });
        }
        Ok(())
    }
}

/// In seconds, rounded up: what took longer is never shown as equal.
fn shown(time: Duration) -> String {
    let seconds = time.as_millis().div_ceil(1000);
    duration::show(
        u64::try_from(seconds)
            .unwrap_or(u64::MAX)
            .saturating_mul(1000),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_up_when_more_has_passed() {
        let started = Instant::now()
            .checked_sub(Duration::from_millis(2100))
            .unwrap();
        let check = |seconds| {
            let most = Duration::from_secs(seconds);
            TimeLimit { started, most }.check()
        };
        assert_eq!(check(3600), Ok(()));
        let error = check(2).unwrap_err();
        assert_eq!(error.to_string(), "expected at most 2s, found 3s");
    }
}
