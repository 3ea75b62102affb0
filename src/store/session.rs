//! A session: a connection with the scripts loaded, that waits where waiting helps.

use std::cell::OnceCell;
use std::time::Duration;

use super::backoff::Backoff;
use super::connect::{connect, connect_within};
use super::{
    Batch, Class, Connector, Interrupt, Master, Patience, Place, Reply, Script, Store, StoreError,
};

/// What is done with a new connection before anything else is sent over it.
pub type Greeting = Box<dyn FnMut(&mut Session) -> Result<(), StoreError> + Send>;

/// What every caller talks to: [`Store`] with waiting, scripts, plain commands, and a new
/// connection where the old one was lost.
pub struct Session {
    store: Box<dyn Store>,
    patience: Patience,
    connector: Option<Connector>,
    greeting: Option<Greeting>,
    interrupt: Interrupt,
    /// The master that everything goes to, whatever its keys are; none: to where its keys are.
    only: Option<usize>,
}

/// The replies to a batch.
pub struct Replies {
    /// One reply a command.
    pub replies: Vec<Reply>,
    /// Whether commands were sent again that may have been carried out the first time.
    pub resent: bool,
}

/// One master of the store; where the store is one server, that one.
pub struct OneMaster<'a> {
    session: &'a mut Session,
    /// Which one it is.
    pub master: Master,
}

impl OneMaster<'_> {
    /// As [`Session::command`], but to this master.
    ///
    /// # Errors
    /// As there, and when the connection is lost.
    pub fn command(&mut self, arguments: &[&[u8]], doing: &str) -> Result<Reply, StoreError> {
        self.session.command(arguments, doing)
    }

    /// As [`Session::goes_on`].
    ///
    /// # Errors
    /// As there.
    pub fn goes_on(&self, doing: &str) -> Result<(), StoreError> {
        self.session.goes_on(doing)
    }

    /// As [`Session::run`], but to this master.
    ///
    /// # Errors
    /// When the connection is lost.
    pub fn run(&mut self, batch: &Batch, doing: &str) -> Result<Vec<Reply>, StoreError> {
        self.session.run(batch, doing)
    }
}

impl Session {
    /// Wraps an open connection. Once it is lost, the session is of no use any more. `interrupt`
    /// ends its waits.
    #[must_use]
    pub fn new(store: Box<dyn Store>, patience: Patience, interrupt: Interrupt) -> Self {
        Self {
            store,
            patience,
            connector: None,
            greeting: None,
            interrupt,
            only: None,
        }
    }

    /// Connects, and connects again whenever the connection is lost.
    ///
    /// # Errors
    /// As [`connect`].
    pub fn open(connector: Connector) -> Result<Self, StoreError> {
        let store = connect(&connector)?;
        let mut session = Self::new(store, connector.patience, connector.interrupt.clone());
        session.connector = Some(connector);
        Ok(session)
    }

    /// Goes on over a connection that `connector` makes, as do all that replace it. A server that
    /// is away meanwhile is waited for up to the deadline.
    ///
    /// # Errors
    /// As [`connect`].
    pub fn reconnect(&mut self, connector: Connector) -> Result<(), StoreError> {
        let made = connect(&connector);
        self.connector = Some(connector);
        match made {
            Ok(store) => {
                self.store = store;
                Ok(())
            }
            Err(lost) => self.find_again(lost, &mut self.backoff()),
        }
    }

    /// Calls `greeting` with this connection, and with each one that replaces it, before anything
    /// else is sent over it.
    ///
    /// # Errors
    /// As `greeting`, and when the connection is lost and cannot be had again before the deadline.
    pub fn greet_with(&mut self, mut greeting: Greeting) -> Result<(), StoreError> {
        // Lost meanwhile, the next connection is greeted from the beginning.
        let connector = self.connector.take();
        let greeted = greeting(self);
        self.connector = connector;
        self.greeting = Some(greeting);
        match greeted {
            Err(lost) if lost.class == Class::FindAgain => {
                self.find_again(lost, &mut self.backoff())
            }
            greeted => greeted,
        }
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(self.patience.deadline, &self.interrupt)
    }

    /// Between two questions of many: whether to go on.
    ///
    /// # Errors
    /// When a signal asks the command to end.
    pub fn goes_on(&self, doing: &str) -> Result<(), StoreError> {
        if self.interrupt.is_asked() {
            return Err(Interrupt::error(doing));
        }
        Ok(())
    }

    /// Sends `batch` and returns one reply a command. Commands that the server puts off
    /// (LOADING, BUSY …) or whose script it lacks are sent again, and so is everything when
    /// the connection is lost or the node takes no writes any more; all other error replies
    /// are returned as they are, and so are these once the deadline has passed.
    ///
    /// # Errors
    /// When the connection fails and cannot be had again before the deadline.
    pub fn run(&mut self, batch: &Batch, doing: &str) -> Result<Vec<Reply>, StoreError> {
        self.send_all(batch, None, doing).map(|done| done.replies)
    }

    /// As [`Session::run`]; what may have been carried out already, because the connection
    /// was lost before its reply came, is sent again as `again` has it.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub fn run_or(
        &mut self,
        batch: &Batch,
        again: &dyn Fn() -> Batch,
        doing: &str,
    ) -> Result<Replies, StoreError> {
        self.send_all(batch, Some(again), doing)
    }

    fn send_all(
        &mut self,
        batch: &Batch,
        again: Option<&dyn Fn() -> Batch>,
        doing: &str,
    ) -> Result<Replies, StoreError> {
        if self.interrupt.ends_now() {
            return Err(Interrupt::error(doing));
        }
        let second = OnceCell::new();
        let mut source = batch;
        let mut todo: Vec<usize> = (0..batch.len()).collect();
        let mut replies = vec![Reply::Nil; batch.len()];
        let mut backoff = self.backoff();
        let (mut loaded, mut resent) = (false, false);
        loop {
            let sent = if todo.len() == replies.len() {
                self.send(source, doing)
            } else {
                self.send(&source.only(&todo), doing)
            };
            match sent {
                Ok(fresh) => {
                    for (index, reply) in todo.drain(..).zip(fresh) {
                        replies[index] = reply;
                    }
                }
                Err(lost) => {
                    self.find_again(lost, &mut backoff)?;
                    source = again.map_or(batch, |again| second.get_or_init(again));
                    (loaded, resent) = (false, true);
                    continue;
                }
            }
            let class_of = |index: &usize| replies[*index].class();
            todo = (0..replies.len())
                .filter(|index| match class_of(index) {
                    Some(Class::Wait) => true,
                    Some(Class::LoadAgain) => !loaded,
                    Some(Class::FindAgain) => self.connector.is_some(),
                    _ => false,
                })
                .collect();
            let Some(first) = todo.first() else {
                return Ok(Replies { replies, resent });
            };
            match class_of(first) {
                Some(Class::LoadAgain) => match self.load_scripts() {
                    Ok(()) => loaded = true,
                    // Lost while loading: the commands themselves are found missing again.
                    Err(lost) if lost.class == Class::FindAgain => {
                        self.find_again(lost, &mut backoff)?;
                    }
                    Err(error) => return Err(error),
                },
                Some(Class::FindAgain) => {
                    let Some(refused) = replies[*first].error(doing) else {
                        return Ok(Replies { replies, resent });
                    };
                    let refused = self.known_as_one_server(&replies[*first], refused);
                    match self.find_again(refused, &mut backoff) {
                        Ok(()) => loaded = false,
                        // What was acknowledged meanwhile is not forgotten over what was put off.
                        Err(error)
                            if matches!(error.class, Class::FindAgain | Class::Interrupted) =>
                        {
                            return Ok(self.put_off(replies, &todo, resent));
                        }
                        Err(error) => return Err(error),
                    }
                }
                _ if !backoff.pause() => {
                    self.give_up();
                    return Ok(self.put_off(replies, &todo, resent));
                }
                _ => {}
            }
        }
    }

    /// The replies, where those of `todo` still put us off and are not waited for any longer.
    fn put_off(&self, mut replies: Vec<Reply>, todo: &[usize], resent: bool) -> Replies {
        if self.interrupt.is_asked() {
            for index in todo {
                replies[*index] = replies[*index].interrupted();
            }
        }
        Replies { replies, resent }
    }

    /// What `refused` means if `reply`, which stands behind it, sends on to another node: only
    /// those of a cluster do, and where the address names one server, it stays so.
    fn known_as_one_server(&self, reply: &Reply, refused: StoreError) -> StoreError {
        let is_sent_on =
            matches!(reply, Reply::Error { code, .. } if code == "MOVED" || code == "ASK");
        let connector = self.connector.as_ref();
        if !is_sent_on || connector.is_none_or(|connector| connector.address.is_cluster()) {
            return refused;
        }
        let detail = "this server is a node of a cluster: its address begins with \
                      redis+cluster, or rediss+cluster over TLS";
        StoreError {
            class: Class::Config,
            detail: format!("{detail} ({})", refused.detail),
            ..refused
        }
    }

    /// Replaces a connection that is lost, or whose node takes no writes any more.
    fn find_again(&mut self, lost: StoreError, backoff: &mut Backoff) -> Result<(), StoreError> {
        if lost.class == Class::Interrupted {
            self.give_up();
        }
        let Some(connector) = &self.connector else {
            return Err(lost);
        };
        if !matches!(lost.class, Class::FindAgain | Class::Wait) {
            return Err(lost);
        }
        let doing = lost.doing.clone();
        let mut last = lost;
        while backoff.pause() {
            let fresh = connect_within(connector, backoff.left()).and_then(|store| {
                let mut fresh = Self::new(store, self.patience, self.interrupt.clone());
                fresh.patience.deadline = backoff.left();
                if let Some(greeting) = &mut self.greeting {
                    greeting(&mut fresh)?;
                }
                Ok(fresh.store)
            });
            match fresh {
                Ok(store) => {
                    self.store = store;
                    return Ok(());
                }
                Err(error) if matches!(error.class, Class::FindAgain | Class::Wait) => {
                    // What was under way matters more than the attempt to go on with it.
                    last = StoreError {
                        detail: format!("{}: {}", error.doing, error.detail),
                        doing: doing.clone(),
                        ..error
                    };
                }
                Err(error) => {
                    if error.class == Class::Interrupted {
                        self.give_up();
                    }
                    return Err(error);
                }
            }
        }
        self.give_up();
        if self.interrupt.is_asked() {
            return Err(last.interrupted());
        }
        Err(last)
    }

    /// Where sentinels or the nodes of a cluster say who the master is, asks them anew and goes on
    /// with whom they name: one that was deposed while they could not reach it still answers as
    /// a master.
    ///
    /// # Errors
    /// When there is none, and as the greeting of a new connection.
    pub fn find_anew(&mut self) -> Result<(), StoreError> {
        let place = self.connector.as_ref().map(|made| &made.address.place);
        if !matches!(place, Some(Place::Sentinel { .. } | Place::Cluster(_))) {
            return Ok(());
        }
        let doing = "asking again who the master is";
        let late = StoreError::new(Class::FindAgain, doing, "the deadline had passed before");
        self.find_again(late, &mut self.backoff())
    }

    /// What is still sent after a deadline has passed, to end in good order, is tried once and
    /// not waited for: deadlines do not add up.
    pub fn give_up(&mut self) {
        self.patience.deadline = Duration::ZERO;
    }

    /// Whether a deadline has passed.
    #[must_use]
    pub fn has_given_up(&self) -> bool {
        self.patience.deadline.is_zero()
    }

    fn send(&mut self, batch: &Batch, doing: &str) -> Result<Vec<Reply>, StoreError> {
        self.send_where(self.only, batch, doing)
    }

    /// Sends to the master at that index; none: to where the keys are.
    fn send_where(
        &mut self,
        master: Option<usize>,
        batch: &Batch,
        doing: &str,
    ) -> Result<Vec<Reply>, StoreError> {
        let sent = match master {
            None => self.store.send(batch),
            Some(master) => self.store.send_to(master, batch),
        };
        sent.map_err(|error| StoreError {
            doing: doing.to_owned(),
            ..error
        })
    }

    /// Sends one command and returns its reply.
    ///
    /// # Errors
    /// As [`Session::run`], and when the server answers with an error.
    pub fn command(&mut self, arguments: &[&[u8]], doing: &str) -> Result<Reply, StoreError> {
        let mut batch = Batch::default();
        batch.push(arguments);
        let reply = self.run(&batch, doing)?.pop();
        match reply.unwrap_or(Reply::Nil) {
            error @ Reply::Error { .. } => error.fail(doing),
            reply => Ok(reply),
        }
    }

    /// The server's clock, in ms since 1970.
    ///
    /// # Errors
    /// As [`Session::command`].
    pub fn now_ms(&mut self) -> Result<i64, StoreError> {
        let doing = "asking the server for its time";
        self.command(&[b"TIME"], doing)?.time_ms(doing)
    }

    /// Does `work` with each master, and returns what came of it. Where a connection is lost,
    /// all is done again with the masters that are there then.
    ///
    /// # Errors
    /// The first one of `work`, and when the store cannot be found again before the deadline.
    pub fn on_each_master<T>(
        &mut self,
        work: &mut dyn FnMut(&mut OneMaster<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut backoff = self.backoff();
        loop {
            match self.once_on_each_master(work) {
                Err(lost) if lost.class == Class::FindAgain => {
                    self.find_again(lost, &mut backoff)?;
                }
                done => return done,
            }
        }
    }

    /// The same over the connections that there are: one that replaced them halfway would not have
    /// been asked from the beginning.
    ///
    /// # Errors
    /// The first one of `work`.
    pub(super) fn once_on_each_master<T>(
        &mut self,
        work: &mut dyn FnMut(&mut OneMaster<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let connector = self.connector.take();
        let masters = self.store.masters().into_iter().enumerate();
        let done = masters
            .map(|(index, master)| {
                self.only = Some(index);
                let result = work(&mut OneMaster {
                    session: self,
                    master,
                });
                self.only = None;
                result
            })
            .collect();
        self.connector = connector;
        done
    }

    /// How long things may take.
    pub(super) fn patience(&self) -> Patience {
        self.patience
    }

    fn load_scripts(&mut self) -> Result<(), StoreError> {
        let doing = "loading the scripts";
        let mut batch = Batch::default();
        for script in Script::ALL {
            batch.push(&[b"SCRIPT", b"LOAD", script.source().as_bytes()]);
        }
        for master in 0..self.store.masters().len() {
            for reply in self.send_where(Some(master), &batch, doing)? {
                if let error @ Reply::Error { .. } = reply {
                    return error.fail(doing);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::time::Duration;

    use super::{Patience, Session};
    use crate::store::{Batch, Interrupt, Reply, Store, StoreError};

    /// Answers each batch with the next prepared replies and keeps what it was sent.
    struct Fake(VecDeque<Vec<Reply>>);

    impl Store for Fake {
        fn send(&mut self, batch: &Batch) -> Result<Vec<Reply>, StoreError> {
            let replies = self.0.pop_front().unwrap();
            assert_eq!(replies.len(), batch.len());
            Ok(replies)
        }
    }

    fn session(replies: Vec<Vec<Reply>>, deadline: Duration) -> Session {
        let patience = Patience {
            timeout: Duration::from_secs(1),
            deadline,
        };
        Session::new(Box::new(Fake(replies.into())), patience, Interrupt::never())
    }

    fn error(code: &str) -> Reply {
        Reply::Error {
            code: code.to_owned(),
            detail: String::new(),
        }
    }

    fn two() -> Batch {
        let mut batch = Batch::default();
        batch.push(&[b"GET", b"a"]);
        batch.push(&[b"GET", b"b"]);
        batch
    }

    #[test]
    fn only_the_commands_that_were_put_off_are_sent_again() {
        let mut session = session(
            vec![
                vec![error("LOADING"), Reply::Int(2)],
                vec![error("BUSY")],
                vec![Reply::Int(1)],
            ],
            Duration::from_secs(5),
        );
        let replies = session.run(&two(), "testing").unwrap();
        assert_eq!(replies, [Reply::Int(1), Reply::Int(2)]);
    }

    #[test]
    fn what_was_acknowledged_is_kept_when_the_rest_is_put_off_past_the_deadline() {
        let mut session = session(vec![vec![error("LOADING"), Reply::Int(2)]], Duration::ZERO);
        let replies = session.run(&two(), "testing").unwrap();
        assert_eq!(replies, [error("LOADING"), Reply::Int(2)]);
    }

    #[test]
    fn a_server_that_was_waited_for_in_vain_is_not_waited_for_again() {
        let put_off = || vec![error("BUSY"), error("BUSY")];
        let mut session = session(vec![put_off(); 20], Duration::from_millis(1));
        session.run(&two(), "testing").unwrap();
        assert!(session.has_given_up());
        // Sent once: the fake has no answer to a second time.
        let mut session = Session {
            store: Box::new(Fake([put_off()].into())),
            ..session
        };
        assert_eq!(session.run(&two(), "ending").unwrap(), put_off());
    }

    #[test]
    fn a_missing_script_is_loaded_once_and_sent_again() {
        let loads = vec![Reply::Status("sha".to_owned()); super::Script::ALL.len()];
        let mut session = session(
            vec![
                vec![Reply::Int(1), error("NOSCRIPT")],
                loads,
                vec![error("NOSCRIPT")],
            ],
            Duration::from_secs(5),
        );
        let replies = session.run(&two(), "testing").unwrap();
        assert_eq!(replies, [Reply::Int(1), error("NOSCRIPT")]);
    }

    #[test]
    fn other_error_replies_come_back_as_they_are() {
        let mut session = session(
            vec![vec![error("OOM"), error("WRONGTYPE")]],
            Duration::from_secs(5),
        );
        let replies = session.run(&two(), "testing").unwrap();
        assert_eq!(replies, [error("OOM"), error("WRONGTYPE")]);
    }
}
