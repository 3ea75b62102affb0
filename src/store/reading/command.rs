//! Questions as commands, and replies as answers.

use redis::{Cmd, Pipeline};

use crate::store::Reply;

/// What can be asked; nothing of it writes.
#[derive(Clone, Copy, Debug)]
pub enum Ask<'a> {
    /// Whether the server answers; in a cluster, whether every master with slots does.
    Ping,
    /// The first so many bytes of a value. A whole value is never asked for, since one of another
    /// client can have 512 MB. An absent value is an empty one.
    Head(&'a str, usize),
    /// The last so many bytes of a value.
    Tail(&'a str, usize),
    /// The first so many bytes of the values of many keys: one array.
    Heads(&'a [String], usize),
    /// The time to live in ms; -1 without, -2 where there is no such key.
    Left(&'a str),
}

/// A command of a question.
pub(super) struct Command<'a> {
    pub(super) cmd: Cmd,
    /// Decides which master of a cluster is asked; none: all of them.
    pub(super) key: Option<&'a str>,
}

/// The commands of `questions`, one after the other.
pub(super) fn of<'a>(questions: &[Ask<'a>]) -> Vec<Command<'a>> {
    let mut commands = Vec::with_capacity(questions.len());
    for question in questions {
        match *question {
            Ask::Ping => commands.push(Command {
                cmd: redis::cmd("PING"),
                key: None,
            }),
            Ask::Head(key, bytes) => commands.push(head(key, bytes)),
            Ask::Tail(key, bytes) => {
                let first = -i64::try_from(bytes).unwrap_or(i64::MAX);
                commands.push(on(key, "GETRANGE", &[first, -1]));
            }
            Ask::Heads(keys, bytes) => commands.extend(keys.iter().map(|key| head(key, bytes))),
            Ask::Left(key) => commands.push(on(key, "PTTL", &[])),
        }
    }
    commands
}

fn head(key: &str, bytes: usize) -> Command<'_> {
    let last = i64::try_from(bytes).unwrap_or(i64::MAX).saturating_sub(1);
    on(key, "GETRANGE", &[0, last.max(0)])
}

fn on<'a>(key: &'a str, name: &str, numbers: &[i64]) -> Command<'a> {
    let mut cmd = redis::cmd(name);
    cmd.arg(key).arg(numbers);
    Command {
        cmd,
        key: Some(key),
    }
}

/// All of `commands` for one server.
pub(super) fn pipeline(commands: &[Command<'_>]) -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(commands.len());
    pipeline.ignore_errors();
    for command in commands {
        pipeline.add_command(command.cmd.clone());
    }
    pipeline
}

/// One answer a question, from the replies to all commands of [`of`].
pub(super) fn gather(questions: &[Ask<'_>], replies: Vec<Reply>) -> Vec<Reply> {
    let mut replies = replies.into_iter();
    let mut answers = Vec::with_capacity(questions.len());
    for question in questions {
        answers.push(match question {
            Ask::Heads(keys, _) => Reply::Array(replies.by_ref().take(keys.len()).collect()),
            _ => replies.next().unwrap_or(Reply::Nil),
        });
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::{Ask, gather, of};
    use crate::store::Reply;

    #[test]
    fn each_question_has_its_own_answer_whatever_it_takes() {
        let keys = ["a", "b", "c"].map(str::to_owned);
        let questions = [Ask::Left("x"), Ask::Heads(&keys, 9), Ask::Head("y", 9)];
        let commands = of(&questions);
        let asked: Vec<_> = commands.iter().map(|command| command.key).collect();
        assert_eq!(asked, ["x", "a", "b", "c", "y"].map(Some));
        let answers = gather(&questions, (0..5).map(Reply::Int).collect());
        let values = Reply::Array((1..4).map(Reply::Int).collect());
        assert_eq!(answers, [Reply::Int(0), values, Reply::Int(4)]);
    }
}
