//! The measurement: what is late counts as late.

use std::time::Duration;

use super::fault::Fault;
use super::front::Front;
use super::{World, published};
use crate::support::Ran;

/// Two pages, so that the measurement begins with request 18.
fn measured(world: &World, fault: Fault, more: &str) -> (Ran, serde_json::Value) {
    let front = Front::start(&world.server, fault);
    let url = front.url();
    let ran = world.anp(&format!(
        "probe {url} --routes /a/,/b/ --format json {more}"
    ));
    let latency = ran.of_type("latency").pop();
    let latency = latency.unwrap_or_else(|| panic!("no measurement: {ran}"));
    (ran, latency)
}

#[test]
fn each_request_that_was_due_during_a_stall_counts_as_late() {
    let world = published();
    let fault = Fault::StallAt(30, Duration::from_millis(300));
    let (ran, latency) = measured(&world, fault, "--concurrency 1 --rate 100/s --duration 1s");
    ran.exits(0);
    assert_eq!(
        (&latency["due"], &latency["answered"]),
        (&100.into(), &100.into())
    );
    let late = |times: &str, name: &str| latency[times][name].as_u64().unwrap();
    // One answer in a hundred was slow, and thirty were due meanwhile.
    assert!(late("response_us", "max") >= 300_000, "{latency}");
    assert!(late("response_us", "p99") >= 250_000, "{latency}");
    assert!(late("response_us", "p90") >= 150_000, "{latency}");
    assert!(late("service_us", "max") >= 300_000, "{latency}");
}

#[test]
fn a_front_that_is_too_slow_for_the_rate_is_told() {
    let world = published();
    let fault = Fault::SlowFrom(18, Duration::from_millis(100));
    let (ran, latency) = measured(
        &world,
        fault,
        "--concurrency 1 --rate 100/s --duration 1s --timeout 1s",
    );
    ran.exits(3)
        .notes("warning: the front did not keep the rate: 100 requests a second were due");
    assert_eq!(latency["kept_rate"], false);
    let count = |name: &str| latency[name].as_u64().unwrap();
    assert_eq!(
        count("answered") + count("unsent") + count("errors"),
        100,
        "{latency}"
    );
    assert!(count("unsent") >= 70, "{latency}");
    let max = latency["response_us"]["max"].as_u64().unwrap();
    assert!(max >= 1_000_000, "{latency}");
    assert_eq!(ran.of_type("summary")[0]["load_unsent"], latency["unsent"]);
}

#[test]
fn what_a_front_that_hangs_keeps_from_being_sent_is_counted_and_fails() {
    let world = published();
    let front = Front::start(
        &world.server,
        Fault::SlowFrom(18, Duration::from_secs(3600)),
    );
    let line = format!(
        "probe {} --routes /a/,/b/ --concurrency 4 --rate 20/s --duration 1s --timeout 1s",
        front.url()
    );
    let ran = world.anp(&line);
    ran.exits(3)
        .says("\n20 due, 0 answered, 8 errors, 12 not sent; 0.0 answered a second\n")
        .says("\nfailed: 8 requests: no whole answer within 1s\n")
        .says("\nnot sent: 12 requests: ")
        .says("\n8 requests of the measurement failed; 12 requests of the measurement not sent\n");
    // Each counts from when it was due: no bar is below the second that they waited.
    let mut bars: Vec<&str> = ran.stdout.lines().collect();
    bars.retain(|line| line.contains("up to "));
    assert!(!bars.is_empty(), "{ran}");
    bars.retain(|line| !line.contains(" s "));
    assert_eq!(bars, [""; 0], "{ran}");
}

#[test]
fn errors_under_load_are_counted_by_what_they_are_and_are_3() {
    let world = published();
    let (ran, latency) = measured(&world, Fault::ErrorsFrom(28), "--rate 100/s --duration 1s");
    ran.exits(3);
    // How many were answered before depends on whether a connection was opened twice.
    let errors = latency["errors"].as_u64().unwrap();
    assert!((80..=95).contains(&errors), "{latency}");
    assert_eq!(latency["error_kinds"]["answered 500"], errors, "{latency}");
    assert_eq!(latency["answered"], 100 - errors, "{latency}");
    let summary = &ran.of_type("summary")[0];
    assert_eq!(
        (&summary["failed"], &summary["load_errors"]),
        (&0.into(), &errors.into())
    );
}

#[test]
fn times_are_shown_as_a_table_and_bars_that_fit_a_terminal() {
    let world = published();
    let front = Front::start(&world.server, Fault::None);
    let url = front.url();
    let line = [
        "probe",
        &url,
        "--rate",
        "100/s",
        "--duration",
        "1s",
        "--concurrency",
        "2",
    ];
    for (locale, bar) in [("C.UTF-8", '█'), ("C", '#')] {
        let ran = world.anp_with(&line, &[("LANG", locale)]);
        ran.exits(0)
            .says("\nresponse times: 100 requests a second for 1s, over 2 connections\n100 due, 100 answered, 0 errors, 0 not sent; ");
        ran.says("  response time ").says("  service time ");
        assert!(ran.stdout.contains(bar), "{ran}");
        assert!(
            ran.stdout
                .lines()
                .skip(2)
                .all(|line| line.chars().count() <= 80),
            "{ran}"
        );
    }
}

#[test]
fn where_nothing_was_answered_there_are_no_times() {
    let world = published();
    let line = "--rate 10/s --duration 1s";
    let (ran, latency) = measured(&world, Fault::ErrorsFrom(18), line);
    ran.exits(3);
    assert_eq!(
        (&latency["answered"], &latency["errors"]),
        (&0.into(), &10.into())
    );
    for times in ["response_us", "service_us"] {
        for quantile in ["p50", "p90", "p99", "p999", "max"] {
            let time = latency[times].get(quantile);
            assert_eq!(time, Some(&serde_json::Value::Null), "{latency}");
        }
    }
    let front = Front::start(&world.server, Fault::ErrorsFrom(18));
    let url = front.url();
    let ran = world.anp(&format!("probe {url} --routes /a/,/b/ {line}"));
    let none = format!("{:>10}", "-").repeat(5);
    ran.exits(3)
        .says(&format!(
            "\n  response time  {none}\n  service time   {none}\n\nresponse time:"
        ))
        .hides("µs");
}
