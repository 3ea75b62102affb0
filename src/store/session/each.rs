//! What is asked of every master: names of connections, their ends, memory, all keys.

use super::Session;
use crate::store::{Batch, Class, Master, Reply, StoreError};

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
    /// Does `work` with each master, and returns what came of it. Where a connection is lost,
    /// all is done anew with the masters that are there then.
    ///
    /// # Errors
    /// The first one of `work`, and when the store cannot be found again before the deadline.
    pub fn on_each_master<T>(
        &mut self,
        work: &mut dyn FnMut(&mut OneMaster<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut backoff = self.backoff();
        loop {
            // A new connection in the midst of it would be one that was not asked.
            let connector = self.connector.take();
            let done = self.once_on_each(work);
            self.connector = connector;
            match done {
                Err(lost) if lost.class == Class::FindAgain => {
                    self.find_again(lost, &mut backoff)?;
                }
                done => return done,
            }
        }
    }

    pub(super) fn once_on_each<T>(
        &mut self,
        work: &mut dyn FnMut(&mut OneMaster<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let masters = self.store.masters();
        let mut results = Vec::with_capacity(masters.len());
        for (index, master) in masters.into_iter().enumerate() {
            self.only = Some(index);
            let mut one = OneMaster {
                session: self,
                master,
            };
            let result = work(&mut one);
            self.only = None;
            results.push(result?);
        }
        Ok(results)
    }
}
