//! Random sequences of imports, edits, outside writes, expiries, kills, rollbacks and
//! rollbacks of rollbacks, against a plain model of what is promised: after each step the
//! whole store, the exit code and what was said are as the model says.
//!
//! `MODEL=1000` sets the number of sequences, `MODEL_SEED` the first seed, `MODEL_JOBS` how
//! many are played at a time, and `MODEL_PATIENT=1` adds steps that wait for a minute until
//! what an import wrote has expired. A sequence that differs is shrunk, and printed with its
//! seed.

mod back;
mod held;
mod import;
mod ops;
mod oracle;
mod outside;
mod player;
mod tap;

use std::cell::RefCell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use player::{Played, Player};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Plays the sequence of one seed.
fn play(player: &RefCell<Player>, seed: u64, patient: bool) -> Result<(), String> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters: 400,
        max_shrink_time: 120_000,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let outcome = TestRunner::new_with_rng(config, rng).run(&ops::sequence(patient), |ops| {
        let mut player = player.borrow_mut();
        player.play(&ops).map_err(TestCaseError::fail)
    });
    outcome.map_err(|error| match error {
        TestError::Fail(reason, ops) => {
            let ops = ops.iter().enumerate();
            let ops: String = ops.map(|(at, op)| format!("  {at}: {op:?}\n")).collect();
            format!("a sequence that differs (MODEL=1 MODEL_SEED={seed}):\n{ops}{reason}")
        }
        TestError::Abort(reason) => format!("MODEL_SEED={seed}: {reason}"),
    })
}

#[test]
fn whatever_happens_the_store_holds_what_is_promised() {
    let sequences = number("MODEL", 200);
    let first = number("MODEL_SEED", 28_802);
    let patient = number("MODEL_PATIENT", 0) > 0;
    let next = AtomicU64::new(0);
    let failed = AtomicBool::new(false);
    let failures = Mutex::new(Vec::new());
    let total = Mutex::new(Played::default());
    std::thread::scope(|scope| {
        for _ in 0..number("MODEL_JOBS", 4).min(sequences) {
            scope.spawn(|| {
                let player = RefCell::new(Player::new());
                while !failed.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= sequences {
                        break;
                    }
                    if let Err(what) = play(&player, first + index, patient) {
                        failed.store(true, Ordering::Relaxed);
                        failures.lock().unwrap().push(what);
                    }
                }
                total.lock().unwrap().add(&player.into_inner().played);
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    println!("{}, 0 differences", total.into_inner().unwrap());
}
