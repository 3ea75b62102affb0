//! The round trip before writes.

use super::apply::{Apply, Group};
use super::lease::Lease;
use super::state::{Asked, Found};
use super::step::{Look, Looked};
use super::stop::Stop;
use super::switch::Switch;
use crate::failpoint;
use crate::store::{Batch, Reply};

impl Apply<'_> {
    /// Renews the lease, asks for the time, and looks at the switch and the keys, in one
    /// round trip.
    pub(super) fn look(&mut self, groups: &[Group]) -> Result<(Vec<Looked>, i64), Stop> {
        failpoint::enter("look");
        let doing = "looking at the keys before they are written";
        let mut batch = Batch::default();
        self.lease.push_keeping(&mut batch);
        batch.push(&[b"TIME"]);
        if let Some(switch) = self.switch {
            switch.push_look(&mut batch);
        }
        for step in groups.iter().flatten() {
            match step.want.look() {
                Look::None => {}
                Look::Expiry => batch.push(&[b"PEXPIRETIME", step.key.as_bytes()]),
                Look::Whole => Found::ask(&mut batch, &step.key),
            }
        }
        let mut replies = self.session.run(&batch, doing)?.into_iter();
        let mut next = || replies.next().unwrap_or(Reply::Nil);
        Lease::check(next())?;
        let now_ms = next().time_ms(doing)?;
        if self.switch.is_some()
            && let Some(paused) = Switch::read(next())?
        {
            return Err(Stop::Paused(paused));
        }
        let mut looked = Vec::new();
        let mut whole = Vec::new();
        for step in groups.iter().flatten() {
            looked.push(match step.want.look() {
                Look::None => Looked::Not,
                Look::Whole => {
                    whole.push((looked.len(), &*step.key, Asked::read(&mut next)));
                    Looked::Not
                }
                Look::Expiry => match next() {
                    Reply::Int(-2) => Looked::Expiry(None),
                    Reply::Int(at) => Looked::Expiry(Some((at >= 0).then_some(at))),
                    other => return Ok(other.fail(doing)?),
                },
            });
        }
        let places: Vec<usize> = whole.iter().map(|(place, _, _)| *place).collect();
        let asked = whole.into_iter().map(|(_, key, asked)| (key, asked));
        let found = Found::settle(self.session, asked, doing)?;
        for (place, found) in places.into_iter().zip(found) {
            looked[place] = Looked::Whole(found);
        }
        Ok((looked, now_ms))
    }
}
