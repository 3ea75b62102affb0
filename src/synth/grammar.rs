//! Turns a template into text: copies it, and fills each `{slot}` with a choice of its own.
//!
//! | slot | becomes |
//! | --- | --- |
//! | `stack`, `activity`, `context` | the article's own |
//! | `part`, `tool` | one of the stack's |
//! | `metric`, `rise`, `fall` | a quantity; the clause that it got worse, or better |
//! | `n`, `many`, `count`, `pct`, `size` | 2–12, 15–90, 1,000–99,999, 5–70, a size in MiB |
//! | `when`, `where`, `who` | a phrase |
//! | `cause`, `measure`, `check` | a phrase with slots of its own |

use super::phrases;
use super::rng::Rng;
use super::vocabulary::{METRICS, Scenario, Stack};
use std::fmt::Write;

/// What one article is about.
pub(super) struct Topic {
    pub(super) stack: &'static Stack,
    pub(super) scenario: &'static Scenario,
    pub(super) context: &'static str,
}

/// Appends one of `templates`, its slots filled.
pub(super) fn one_of(templates: &[&str], topic: &Topic, rng: &mut Rng, out: &mut String) {
    let template = rng.word(templates);
    expand(template, topic, rng, out);
}

/// Appends one of `templates` as a sentence or heading: with a capital letter.
pub(super) fn sentence(templates: &[&str], topic: &Topic, rng: &mut Rng, out: &mut String) {
    let start = out.len();
    one_of(templates, topic, rng, out);
    capitalise(out, start);
}

/// Makes the letter at byte `start` upper case, if it is an ASCII letter.
pub(super) fn capitalise(out: &mut str, start: usize) {
    if let Some(letter) = out.get_mut(start..start + 1) {
        letter.make_ascii_uppercase();
    }
}

/// Appends `template`, its slots filled.
pub(super) fn expand(template: &str, topic: &Topic, rng: &mut Rng, out: &mut String) {
    let mut rest = template;
    while let Some((before, slot, after)) = next_slot(rest) {
        out.push_str(before);
        fill(slot, topic, rng, out);
        rest = after;
    }
    out.push_str(rest);
}

fn next_slot(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (slot, after) = rest.split_once('}')?;
    Some((before, slot, after))
}

fn fill(slot: &str, topic: &Topic, rng: &mut Rng, out: &mut String) {
    match slot {
        "stack" => out.push_str(topic.stack.name),
        "activity" => out.push_str(topic.scenario.activity),
        "context" => out.push_str(topic.context),
        "part" => out.push_str(rng.word(&topic.stack.parts)),
        "tool" => out.push_str(rng.word(&topic.stack.tools)),
        "metric" => out.push_str(rng.pick(&METRICS).name),
        "rise" => trend(true, rng, out),
        "fall" => trend(false, rng, out),
        "n" => number(rng.range(2, 12), out),
        "many" => number(rng.range(15, 90), out),
        "count" => thousands(rng.range(1_000, 99_999), out),
        "pct" => number(rng.range(5, 70), out),
        "size" => {
            number(rng.range(2, 96) * 4, out);
            out.push_str(" MiB");
        }
        "when" => one_of(&phrases::WHEN, topic, rng, out),
        "where" => one_of(&phrases::WHERE, topic, rng, out),
        "who" => one_of(&phrases::WHO, topic, rng, out),
        "cause" => one_of(&phrases::CAUSES, topic, rng, out),
        "measure" => one_of(&phrases::MEASURES, topic, rng, out),
        "check" => one_of(&phrases::CHECKS, topic, rng, out),
        other => unreachable!("no template names the slot {other}, a test expands them all"),
    }
}

/// "p99 latency went from 41 ms to 230 ms", or the other way round.
fn trend(up: bool, rng: &mut Rng, out: &mut String) {
    let metric = rng.pick(&METRICS);
    let good = rng.range(metric.low, metric.low * 2);
    let bad = rng.range(metric.high / 2, metric.high);
    let (verb, from, to) = if up {
        (" went from ", good, bad)
    } else {
        (" fell from ", bad, good)
    };
    out.push_str(metric.name);
    out.push_str(verb);
    number(from, out);
    out.push_str(metric.unit);
    out.push_str(" to ");
    number(to, out);
    out.push_str(metric.unit);
}

/// Appends a whole number in decimal.
pub(super) fn number(n: impl Into<u64>, out: &mut String) {
    write!(out, "{}", n.into()).expect("a String takes every write");
}

/// Appends a number from 1,000 to 999,999 with its separator.
fn thousands(n: u32, out: &mut String) {
    write!(out, "{},{:03}", n / 1000, n % 1000).expect("a String takes every write");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::vocabulary::{CONTEXTS, SCENARIOS, STACKS};

    fn topic() -> Topic {
        Topic {
            stack: &STACKS[0],
            scenario: &SCENARIOS[0],
            context: CONTEXTS[0],
        }
    }

    #[test]
    fn every_slot_of_every_template_is_known() {
        // Reads the templates as source text, so that a new table cannot be forgotten.
        let source = [include_str!("phrases.rs"), include_str!("snippets.rs")].concat();
        let mut slots = 0;
        for literal in source
            .lines()
            .filter(|line| line.trim_start().starts_with(['"', '(']))
        {
            let mut rest = literal;
            while let Some((_, slot, after)) = next_slot(rest) {
                let mut rng = Rng::of_article(1, slots);
                fill(slot, &topic(), &mut rng, &mut String::new());
                slots += 1;
                rest = after;
            }
        }
        assert!(slots > 250, "{slots}");
    }

    #[test]
    fn a_template_is_copied_around_its_slots() {
        let mut out = String::new();
        let template = "for {stack}, {activity} {context}.";
        expand(template, &topic(), &mut Rng::of_article(1, 1), &mut out);
        capitalise(&mut out, 0);
        let Topic {
            stack,
            scenario,
            context,
        } = topic();
        assert_eq!(
            out,
            format!("For {}, {} {context}.", stack.name, scenario.activity)
        );
    }
}
