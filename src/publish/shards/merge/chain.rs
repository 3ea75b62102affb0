//! Undoing the merged intent does what undoing each start of the shard would do, the last one
//! first, whatever expires between them.

use super::{Intent, merge};
use crate::publish::apply::step::{
    CompareAndSet, CurrentState, Decision, Look, Step, Want, decide,
};
use crate::publish::state::{Content, KeyState, Present};

/// The steps of the clock: expiries differ by less, so that each comes once.
const STEP_MS: i64 = 100_000;

/// A key in the store: its value and its expiry.
type Key = Option<(Vec<u8>, i64)>;

fn present(value: &[u8], expires_at_ms: i64) -> Present {
    Present::string(value, Some(expires_at_ms))
}

fn look(key: &Key, look: Look) -> CurrentState {
    match (look, key) {
        (Look::None, _) => CurrentState::Unread,
        (Look::Expiry, Some((_, at))) => CurrentState::Expiry(Some(*at)),
        (Look::Expiry | Look::Whole, None) => CurrentState::Whole(KeyState::Absent),
        (Look::Whole, Some((value, at))) => CurrentState::Whole(KeyState::Present(
            present(value, *at),
            Content::Value(value.clone()),
        )),
    }
}

/// Carries out a command that is allowed in the state in which the key is.
fn carry_out(key: &mut Key, command: CompareAndSet) {
    *key = match command {
        CompareAndSet::Create { content, made } => Some((content, made.expires_at_ms.unwrap())),
        CompareAndSet::Put { made, content, .. } => {
            Some((content.bytes().to_vec(), made.expires_at_ms.unwrap()))
        }
        CompareAndSet::Expire { to_ms, .. } => key.take().map(|(value, _)| (value, to_ms.unwrap())),
        CompareAndSet::Remove { .. } => None,
    };
}

/// The key once the clock is at `now`.
fn lapse(key: &mut Key, now: i64) {
    if key.as_ref().is_some_and(|(_, at)| *at <= now) {
        *key = None;
    }
}

/// What is wanted of the key now: the intent, and the command behind it.
fn decided(key: &Key, want: Want, now: i64) -> Option<(Intent, CompareAndSet)> {
    let looked = look(key, want.look());
    let step = Step {
        key: "k".to_owned(),
        want,
        reason: None,
        of_archive: false,
        prior_bytes: 0,
    };
    match decide(step, looked, now).unwrap() {
        Decision::Write(mut intent, command) => {
            intent.absent_at = intent.prior.is_none().then_some(now);
            Some((*intent, *command))
        }
        Decision::Leave(_) | Decision::RanOut => None,
    }
}

fn undo(key: &mut Key, intent: Intent, now: i64) {
    let undone = Box::new(intent);
    let back = Want::Back {
        undone,
        slack_ms: 0,
    };
    if let Some((_, command)) = decided(key, back, now) {
        carry_out(key, command);
    }
}

/// Numbers that look random, and values and expiries of which each comes once.
struct Dice {
    seed: u64,
    next: i64,
    now: i64,
}

impl Dice {
    fn below(&mut self, below: u64) -> u64 {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.seed >> 33) % below
    }

    fn state(&mut self) -> (Vec<u8>, i64) {
        self.next += 1;
        let steps = 1 + self.below(8) as i64;
        let at = self.now + steps * STEP_MS + 1000 * self.next;
        (self.next.to_string().into_bytes(), at)
    }

    /// What somebody else makes of the key. That they delete it, or that it expires, is left out:
    /// one absence is like another, and undoing start by start would take theirs for one that the
    /// run made before.
    fn theirs(&mut self) -> Key {
        let (value, at) = self.state();
        Some((value, at + 1000 * STEP_MS))
    }

    fn want(&mut self, key: &Key) -> Want {
        let (value, at) = self.state();
        match (self.below(6), key) {
            (0, Some((_, seen))) => Want::Refresh {
                to_ms: at,
                seen_ms: Some(*seen),
            },
            // Brought forward: the value is recorded too.
            (1, Some((_, seen))) => Want::Refresh {
                to_ms: seen - STEP_MS + 1,
                seen_ms: Some(*seen),
            },
            (2, Some(_)) => Want::Remove,
            _ => Want::Put {
                made: present(&value, at),
                content: value,
                create: key.is_none(),
            },
        }
    }
}

#[test]
fn one_step_back_is_all_steps_back() {
    let (mut merged_some, mut restored, mut after_expiry) = (0, 0, 0);
    for seed in 0..40_000 {
        let mut dice = Dice {
            seed,
            next: 0,
            now: STEP_MS,
        };
        dice.below(2);
        let mut key = if dice.below(3) == 0 {
            None
        } else if dice.below(3) == 0 {
            Some(dice.state())
        } else {
            dice.theirs()
        };
        let mut before = key.clone();
        let mut intents: Vec<Intent> = Vec::new();
        let (mut disturbed, mut expired) = (false, false);
        for _ in 0..1 + dice.below(4) {
            if dice.below(5) == 0 {
                key = dice.theirs();
                disturbed = true;
            }
            let was_there = key.is_some();
            dice.now += STEP_MS * dice.below(4) as i64;
            lapse(&mut key, dice.now);
            expired |= was_there && key.is_none() && !intents.is_empty();
            let want = dice.want(&key);
            if let Some((intent, command)) = decided(&key, want, dice.now) {
                intents.push(intent);
                // A start that died had not carried out what it had announced last.
                if dice.below(3) > 0 {
                    carry_out(&mut key, command);
                }
            }
        }
        if dice.below(6) == 0 {
            key = dice.theirs();
            disturbed = true;
        }
        dice.now += STEP_MS * dice.below(4) as i64;
        let now = dice.now;
        lapse(&mut key, now);
        lapse(&mut before, now);
        let (mut by_steps, mut at_once) = (key.clone(), key.clone());
        for intent in intents.iter().rev() {
            undo(&mut by_steps, intent.clone(), now);
        }
        let merged = intents
            .iter()
            .cloned()
            .reduce(|earlier, later| merge(earlier, later, 0));
        merged_some += u32::from(intents.len() > 1);
        if let Some(merged) = merged {
            undo(&mut at_once, merged, now);
        }
        assert_eq!(at_once, by_steps, "seed {seed}: {key:?} by {intents:#?}");
        if !disturbed {
            assert_eq!(at_once, before, "seed {seed}: {key:?} by {intents:#?}");
            restored += 1;
            after_expiry += u32::from(expired && before.is_some());
        }
    }
    assert!(
        merged_some > 10_000 && restored > 5_000 && after_expiry > 500,
        "{merged_some} {restored} {after_expiry}"
    );
}
