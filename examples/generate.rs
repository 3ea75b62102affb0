//! Writes a tree of seeded articles:
//!
//! ```text
//! cargo run --release --example generate -- --count 20000 --seed 28802 --out DIR
//! ```

use anp::synth::{Generator, Options};
use clap::Parser;
use std::path::PathBuf;

/// Writes a tree of seeded articles.
#[derive(Parser)]
struct Args {
    /// How many articles.
    #[arg(long, default_value_t = 1_000)]
    count: u64,
    /// The same seed makes the same articles.
    #[arg(long, default_value_t = 28_802)]
    seed: u64,
    /// Mean size of the Markdown bodies in KiB.
    #[arg(long, default_value_t = 2)]
    body_kb: u32,
    /// The folder to write to.
    #[arg(long)]
    out: PathBuf,
}

fn main() -> std::io::Result<()> {
    let args = Args::parse();
    let options = Options {
        body_kb: args.body_kb,
        ..Options::default()
    };
    let tree = Generator::new(args.seed, options).write_tree(&args.out, args.count)?;
    println!(
        "{} articles, {} bytes, in {}",
        tree.files,
        tree.bytes,
        args.out.display()
    );
    Ok(())
}
