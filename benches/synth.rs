//! How fast seeded articles are made: one core, in memory, one buffer for all of them.

use anp::synth::{Generator, Options, SynthArticle};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

/// Articles an iteration: enough that large and small ones even out.
const ARTICLES: u64 = 1_000;

fn articles(c: &mut Criterion) {
    let mut group = c.benchmark_group("synth");
    group.throughput(Throughput::Elements(ARTICLES));
    for (name, options) in [("default", Options::default()), ("body-kb-16", body_kb(16))] {
        let generator = Generator::new(28_802, options);
        let mut article = SynthArticle::default();
        group.bench_function(name, |b| {
            b.iter(|| {
                for n in 1..=ARTICLES {
                    generator.article_into(n, &mut article);
                    black_box(&article);
                }
            });
        });
    }
    group.finish();
}

fn body_kb(body_kb: u32) -> Options {
    Options {
        body_kb,
        ..Options::default()
    }
}

criterion_group!(benches, articles);
criterion_main!(benches);
