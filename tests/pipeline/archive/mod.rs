//! Archive objects: lists, feeds, the sitemap, similar posts and redirects, over several runs. What an import
//! makes of a tree does not depend on the imports before it, each can be taken back exactly, and no reader finds
//! a link to nothing.

mod commands;
mod compress;
mod objects;
mod readers;
mod redirects;
mod runs;
mod similar;
mod texts;
mod tree;
