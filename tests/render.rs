//! Pages and meta objects as a reader, a browser and the store see them.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

#[path = "render/support.rs"]
mod support;

use support::{FULL_BODY, article, full_fields, page};

#[test]
fn a_page_is_made() {
    let article = article(
        "redis caching notes: running scheduled tasks reliably",
        &full_fields(),
        FULL_BODY,
    );
    let page = page(&article);
    assert!(page.ends_with("<!--anp:30313233343536373839616263646566-->"));
    if let Ok(path) = std::env::var("ANP_SAMPLE_PAGE") {
        std::fs::write(path, page).unwrap();
    }
}
