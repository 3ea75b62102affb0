//! Which routes the store holds, by a scan of its keys.

use std::collections::BTreeSet;

use crate::article::Route;
use crate::publish::keys::Keys;
use crate::store::{OneMaster, Reply, Session, StoreError};

/// The routes that the store holds a page or a meta object for.
pub(crate) fn scan(session: &mut Session, keys: &Keys) -> Result<BTreeSet<Route>, StoreError> {
    let mut routes = BTreeSet::new();
    let mut known = None;
    loop {
        let masters = session.on_each_master(&mut |one| {
            for kind in [keys.page_prefix(), keys.meta_prefix()] {
                scan_kind(one, &kind, &mut |path| {
                    routes.extend(stored_route(path));
                })?;
            }
            Ok(())
        })?;
        // A slot may have moved from a master that was still to be asked to one that had been.
        if masters.len() == 1 || known == Some(routes.len()) {
            return Ok(routes);
        }
        known = Some(routes.len());
    }
}

/// The route of a key with this path behind its kind, if it is one of ours.
pub(crate) fn stored_route(path: &str) -> Option<Route> {
    let route = Route::parse(path).ok()?;
    (route.as_str() == path).then_some(route)
}

/// Hands what follows `kind` in the keys that begin with it, on one master, to `each`: some of
/// them more than once.
pub(crate) fn scan_kind(
    one: &mut OneMaster<'_>,
    kind: &str,
    each: &mut dyn FnMut(&str),
) -> Result<(), StoreError> {
    let mut all = |key: &str| {
        if let Some(path) = key.strip_prefix(kind) {
            each(path);
        }
        true
    };
    scan_while(one, &format!("{kind}/*"), &mut all).map(|_| ())
}

/// Hands the keys that match `pattern` on one master to `each`, some of them more than once, until it wants
/// no more; says whether these were all.
pub(super) fn scan_while(
    one: &mut OneMaster<'_>,
    pattern: &str,
    each: &mut dyn FnMut(&str) -> bool,
) -> Result<bool, StoreError> {
    let doing = "looking for stored articles (SCAN)";
    let mut cursor = "0".to_owned();
    loop {
        let command: [&[u8]; 6] = [
            b"SCAN",
            cursor.as_bytes(),
            b"MATCH",
            pattern.as_bytes(),
            b"COUNT",
            b"1000",
        ];
        one.goes_on(doing)?;
        let reply = one.command(&command, doing)?;
        let Reply::Array(parts) = &reply else {
            return reply.fail(doing);
        };
        let (Some(next), Some(Reply::Array(found))) =
            (parts.first().and_then(Reply::text), parts.get(1))
        else {
            return reply.fail(doing);
        };
        for key in found {
            if key.text().is_some_and(|key| !each(key)) {
                return Ok(false);
            }
        }
        cursor = next.to_owned();
        if cursor == "0" {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::scan;
    use crate::article::Route;
    use crate::publish::keys::Keys;
    use crate::store::{Batch, Interrupt, Master, Patience, Reply, Session, Store, StoreError};

    /// Two masters, and a slot that moves to the first while the second is looked through.
    struct Moving {
        scans: usize,
    }

    impl Store for Moving {
        fn send(&mut self, _: &Batch) -> Result<Vec<Reply>, StoreError> {
            unreachable!()
        }

        fn masters(&self) -> Vec<Master> {
            let master = |name: &str| Master {
                name: name.to_owned(),
                share: 0.5,
                is_used: true,
            };
            vec![master("a"), master("b")]
        }

        fn send_to(&mut self, master: usize, batch: &Batch) -> Result<Vec<Reply>, StoreError> {
            self.scans += 1;
            let is_page = String::from_utf8_lossy(batch.bytes()).contains("anp:page:");
            let has_moved = self.scans > 2;
            let keys = match master {
                0 if has_moved && is_page => vec![Reply::Bulk(b"anp:page:/moved/".to_vec())],
                _ => Vec::new(),
            };
            let end = Reply::Bulk(b"0".to_vec());
            Ok(vec![Reply::Array(vec![end, Reply::Array(keys)])])
        }
    }

    #[test]
    fn what_moves_while_masters_are_looked_through_is_found_all_the_same() {
        let patience = Patience {
            timeout: Duration::from_secs(1),
            deadline: Duration::ZERO,
        };
        let mut session = Session::new(Box::new(Moving { scans: 0 }), patience, Interrupt::never());
        let found = scan(&mut session, &Keys::new("anp")).unwrap();
        let found: Vec<&str> = found.iter().map(Route::as_str).collect();
        assert_eq!(found, ["/moved/"]);
    }
}
