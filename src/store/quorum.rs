//! Asking several nodes at once who the master is, or who serves what: one that is cut off from the
//! others, or that was taken out of service, does not decide.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::dial::Limit;
use super::{Class, Interrupt, Node, StoreError};

/// So many nodes are asked.
const MOST: usize = 32;
/// Those that have not answered by then are not waited for, where others have.
const GRACE: Duration = Duration::from_secs(2);

/// Asks `nodes`, each on a thread of its own, and returns what came of it, in their order. It takes
/// `time` at the most, whatever they do, and ends once a signal came.
pub(super) fn ask<T: Send + 'static>(
    nodes: &[Node],
    time: Duration,
    interrupt: &Interrupt,
    doing: &str,
    question: impl Fn(&Node, Duration) -> Result<T, StoreError> + Clone + Send + 'static,
) -> Vec<(Node, Result<T, StoreError>)> {
    let began = Instant::now();
    let (said, heard) = channel();
    let nodes = &nodes[..nodes.len().min(MOST)];
    for (index, node) in nodes.iter().enumerate() {
        let (told, question, node) = (said.clone(), question.clone(), node.clone());
        // Not waited for at the end: each ends by itself at its time-out.
        let started = std::thread::Builder::new().spawn(move || {
            let _ = told.send((index, question(&node, time)));
        });
        if let Err(error) = started {
            let _ = said.send((index, Err(StoreError::no_thread(doing, &error))));
        }
    }
    drop(said);
    let mut answers: Vec<Option<Result<T, StoreError>>> = nodes.iter().map(|_| None).collect();
    loop {
        let is_enough = answers.iter().flatten().any(Result::is_ok);
        let most = if is_enough { GRACE.min(time) } else { time };
        let Ok(slice) = Limit::new(began + most, interrupt).slice() else {
            break;
        };
        match heard.recv_timeout(slice) {
            Ok((index, answer)) => answers[index] = Some(answer),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let silent = || {
        if interrupt.is_asked() {
            return Err(Interrupt::error(doing));
        }
        let detail = "no answer within the time-out";
        Err(StoreError::new(Class::FindAgain, doing, detail))
    };
    let answers = answers
        .into_iter()
        .map(|answer| answer.unwrap_or_else(silent));
    nodes.iter().cloned().zip(answers).collect()
}

/// What most of `votes` are for; of several, the first.
pub(super) fn most<T, K: PartialEq>(votes: Vec<T>, key: impl Fn(&T) -> K) -> Option<T> {
    let count = |one: &T| votes.iter().filter(|other| key(other) == key(one)).count();
    let best = votes.iter().map(count).max()?;
    let first = votes.iter().position(|vote| count(vote) == best)?;
    votes.into_iter().nth(first)
}

/// Whether as many of `votes` are for something else as for `one`.
pub(super) fn is_tied<T: PartialEq>(votes: &[T], one: &T) -> bool {
    let count = |one: &T| votes.iter().filter(|other| *other == one).count();
    votes
        .iter()
        .any(|other| other != one && count(other) >= count(one))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ask, is_tied, most};
    use crate::store::{Class, Interrupt, Node, StoreError};

    #[test]
    fn who_never_answers_is_not_waited_for_and_a_failure_keeps_its_reason() {
        let nodes = [1, 2, 3].map(|port| Node::new("h", port));
        let question = |node: &Node, _: Duration| match node.port {
            1 => loop {
                std::thread::park();
            },
            2 => Err(StoreError::new(Class::Never, "asking", "refused")),
            port => Ok(port),
        };
        let time = Duration::from_millis(300);
        let answers = ask(&nodes, time, &Interrupt::never(), "asking", question);
        let said: Vec<String> = answers
            .into_iter()
            .map(|(node, answer)| match answer {
                Ok(port) => format!("{node} {port}"),
                Err(error) => format!("{node} {}", error.detail),
            })
            .collect();
        let expected = ["h:1 no answer within the time-out", "h:2 refused", "h:3 3"];
        assert_eq!(said, expected);
    }

    #[test]
    fn the_first_of_the_most_decides() {
        assert_eq!(most(vec!["a1", "b1", "b2"], |vote| &vote[..1]), Some("b1"));
        assert_eq!(most(vec!["a1", "b1"], |vote| &vote[..1]), Some("a1"));
        assert_eq!(most(Vec::<&str>::new(), |vote| vote.len()), None);
        assert!(is_tied(&["a", "b"], &"a") && !is_tied(&["a", "b", "a"], &"a"));
        assert!(!is_tied(&["a"], &"a"));
    }
}
