//! From rendered objects to what is sent and what is recorded.

use std::path::Path;

use anp::publish::keys::Keys;
use anp::publish::manifest::{Action, Encoder, Frames, Intent, Line, Snapshot, Writer};
use anp::publish::plan::expiry::Expiry;
use anp::publish::plan::need::{self, Filling, Need, Policy, need};
use anp::publish::plan::stored_article::{ObjectState, StoredArticle};
use anp::publish::state::{Content, Fingerprint, Present};
use anp::render::Rendered;
use anp::spool::Spool;
use anp::store::Batch;

use super::{Made, NOW_MS, Stages};

/// A batch is closed at so many bytes, sent and recorded.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
const EXPIRY: Expiry = Expiry {
    start_ms: NOW_MS,
    ttl_ms: 604_800_000,
    jitter_permille: 100,
    most_ms: None,
};

pub(super) fn bench(stages: &mut Stages<'_>, folder: &Path, made: &[Made<'_>]) {
    let objects: Vec<_> = made.iter().flat_map(objects).collect();
    let unchanged: Vec<_> = made.iter().map(|m| (m, seen(m))).collect();
    stages.each("plan: need and expiry", &unchanged, |(made, stored)| {
        let (route, ttl) = (&made.article.route, made.article.lifetime());
        let wanted = need::Made {
            base: made.digest,
            fill: Filling::Known(0),
        };
        let need = need(Policy::Import, stored, wanted, (&EXPIRY, route), ttl);
        assert_eq!(need, Need::Keep);
        EXPIRY.of(route, ttl)
    });
    let append = || {
        let mut spool = Spool::create(folder).expect("a spool");
        let offsets: Vec<_> = made
            .iter()
            .map(|m| spool.append(&[&m.rendered.page, &m.rendered.meta]))
            .collect::<Result<_, _>>()
            .expect("room on the disk");
        (spool.finish().expect("a spool"), offsets)
    };
    stages.whole("spool: append", append);
    let (spooled, offsets) = append();
    let spots: Vec<_> = offsets.into_iter().zip(made).collect();
    stages.each("spool: read", &spots, |(offset, made)| {
        let (page, meta) = (made.rendered.page.len(), made.rendered.meta.len());
        let page_bytes = spooled.read(*offset, page).expect("the page");
        let meta_at = offset + page as u64;
        (page_bytes, spooled.read(meta_at, meta).expect("the meta"))
    });
    stages.each("SHA-1 of both values", made, |made| {
        let Rendered { page, meta, .. } = &made.rendered;
        (Fingerprint::of(page), Fingerprint::of(meta))
    });
    stages.each(
        "RESP: encode both commands",
        &batches(&objects, 1),
        |objects| {
            let mut batch = Batch::default();
            for object in *objects {
                let at = (NOW_MS + EXPIRY.ttl_ms).to_string();
                let (key, at) = (object.key.as_bytes(), at.as_bytes());
                batch.push(&[b"SET", key, object.value, b"NX", b"PXAT", at]);
            }
            batch
        },
    );
    manifest(stages, folder, &objects);
}

/// One key and its value.
struct Object<'a> {
    key: String,
    value: &'a [u8],
    present: Present,
}

fn objects<'a>(made: &'a Made<'_>) -> [Object<'a>; 2] {
    let (keys, route) = (Keys::new("anp"), &made.article.route);
    let object = |key, value| Object {
        key,
        value,
        present: Present::string(value, Some(NOW_MS + EXPIRY.ttl_ms)),
    };
    let Rendered { page, meta, .. } = &made.rendered;
    [
        object(keys.page(route), page),
        object(keys.meta(route), meta),
    ]
}

/// The objects of an article as the store has them after an import.
fn seen(made: &Made<'_>) -> StoredArticle {
    let ttl = made.article.lifetime();
    let seen = |value: &[u8]| ObjectState::Present {
        expires_at_ms: Some(EXPIRY.of(&made.article.route, ttl)),
        bytes: value.len() as u64,
        is_string: true,
        digest: Some(made.digest),
        inputs: None,
        fill: None,
        is_gzip: false,
        is_list: false,
    };
    StoredArticle {
        page: seen(&made.rendered.page),
        meta: seen(&made.rendered.meta),
        text: None,
    }
}

/// The objects in batches, where so many copies of each are sent and recorded.
fn batches<'o, 'a>(objects: &'o [Object<'a>], copies: usize) -> Vec<&'o [Object<'a>]> {
    let mut bytes = 0;
    let has_room = |object: &Object<'_>, _: &Object<'_>| {
        bytes += copies * object.value.len();
        let has_room = bytes < BATCH_BYTES;
        bytes *= usize::from(has_room);
        has_room
    };
    objects.chunk_by(has_room).collect()
}

/// Recording creations, and updates, which record the values that they replace.
fn manifest(stages: &mut Stages<'_>, folder: &Path, objects: &[Object<'_>]) {
    let intent = |object: &Object<'_>, action, prior| {
        let made = Snapshot::of(&object.present, object.value.len());
        Line::Intent(Intent::new(object.key.clone(), action, prior, Some(made)))
    };
    let create = |object: &Object<'_>| intent(object, Action::Create, None);
    let update = |object: &Object<'_>| {
        let value = Content::Value(object.value.to_vec());
        let prior = Snapshot::whole(&object.present, value);
        intent(object, Action::Update, Some(prior))
    };
    let lines = |copies, line: &dyn Fn(&Object<'_>) -> Line| -> Vec<Vec<Line>> {
        let batches = batches(objects, copies).into_iter();
        batches
            .map(|batch| batch.iter().map(line).collect())
            .collect()
    };
    let (creates, updates) = (lines(1, &create), lines(2, &update));

    let mut encoder = Encoder::new().expect("zstd");
    let mut encode = |lines: &Vec<Line>| encoder.encode(lines).expect("short lines");
    let first = create(&objects[0]);
    let mut writer = Writer::create(&folder.join("manifest"), &first).expect("a file");
    let mut write = |frames: &Frames| writer.append_frames(frames).expect("the disk");
    for (kind, lines) in [("creations", creates), ("updates", updates)] {
        stages.each(&format!("manifest: encode {kind}"), &lines, &mut encode);
        let frames: Vec<_> = lines.iter().map(&mut encode).collect();
        stages.each(
            &format!("manifest: write and sync {kind}"),
            &frames,
            &mut write,
        );
    }
}
