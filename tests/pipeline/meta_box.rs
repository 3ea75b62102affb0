//! The setting `meta_box`: which fields the box below an article has.

use crate::support::World;

fn terms(world: &World) -> Vec<String> {
    let page = world.server.get("anp:page:/a/").unwrap();
    let terms = page.split("<dt>").skip(1);
    terms
        .map(|piece| piece.split("</dt>").next().unwrap().to_owned())
        .collect()
}

#[test]
fn the_box_shows_what_the_settings_choose() {
    let world = World::new();
    world.write(
        "content/a.md",
        "---\ntitle: A\nowner: desk\nhash: 0123456789abcdef01234567\ntags: [x]\nown: 1\n---\nText.\n",
    );
    world.anp("import").exits(0);
    assert_eq!(terms(&world), ["Owner", "Tags", "Own", "Hash"]);
    for (setting, expected) in [
        ("show: [own, hash, owner]", vec!["Own", "Hash", "Owner"]),
        ("hide: [hash, own]", vec!["Owner", "Tags"]),
        ("show: [tags, own]\n  hide: [own]", vec!["Tags"]),
        ("show: [nothing]", vec![]),
    ] {
        world.write("anp.yaml", format!("meta_box:\n  {setting}\n"));
        let ran = world.anp("import");
        assert_eq!(ran.exits(0).counts()["updated"], 2, "{ran}");
        assert_eq!(terms(&world), expected, "{setting}");
        assert_eq!(world.anp("import").exits(0).counts()["kept"], 2);
    }
    let ran = world.anp_with(&["import"], &[("ANP_META_BOX_SHOW", "owner, tags")]);
    ran.exits(0);
    assert_eq!(terms(&world), ["Owner", "Tags"]);
    world.write("anp.yaml", "meta_box:\n  shown: [a]\n");
    world.anp("check").exits(78).notes("did you mean 'show'?");
}
