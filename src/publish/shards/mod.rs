//! All about runs that several processes do together: which articles belong to whom, how a process
//! joins the run, and how the manifests of all of them are read as one.

pub(crate) mod admission;
pub(crate) mod join;
pub(crate) mod merge;
pub mod shard;
pub(crate) mod share;
