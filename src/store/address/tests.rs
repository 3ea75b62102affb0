//! Each form, read and shown.

use super::{Address, Node, Place};

#[test]
fn reads_each_form_and_shows_none_of_the_password() {
    let shown = |text: &str| Address::parse(text).unwrap().to_string();
    assert_eq!(shown("embedded"), "embedded");
    assert_eq!(shown("embedded:/srv/state"), "embedded:/srv/state");
    assert_eq!(shown("redis://127.0.0.1"), "redis://127.0.0.1:6379/0");
    assert_eq!(
        shown("redis://user:s3cret@cache.example:7000/2"),
        "redis://cache.example:7000/2"
    );
    assert_eq!(
        shown("redis+unix:///run/redis.sock?db=3&user=u&pass=s3cret"),
        "redis+unix:///run/redis.sock?db=3"
    );
    let address = Address::parse("redis://u:s3cret@h:1/0").unwrap();
    assert!(!format!("{address:?}").contains("s3cret"));
}

#[test]
fn what_it_shows_reads_back_as_the_same_place() {
    for text in [
        "redis://127.0.0.1:6380/5",
        "redis+unix:///run/r.sock?db=3",
        "redis://[::1]:6379/0",
        "rediss://cache.example:6380/1",
        "redis+cluster://a:7000,[::1]:7001/",
        "rediss+cluster://a:7000/",
        "redis+sentinel://a:26379,b:1/mymaster/2",
        "rediss+sentinel://[fe80::1]:26379/my-master/0",
    ] {
        let address = Address::parse(text).unwrap();
        assert_eq!(address.to_string(), text);
        assert!(Address::parse(text).unwrap().same_as(&address));
        assert!(!matches!(address.place, Place::Embedded(_)));
    }
}

#[test]
fn the_user_is_kept_and_reads_back_without_the_password() {
    for (text, expected) in [
        (
            "rediss+cluster://us%40er:s3cret@a:1,b:2",
            "rediss+cluster://us%40er@a:1,b:2/",
        ),
        (
            "redis+sentinel://u%25:s3c%40ret@s/m",
            "redis+sentinel://u%25@s:26379/m/0",
        ),
        ("redis://us%40er:s3cret@h:1/2", "redis://us%40er@h:1/2"),
        (
            "redis+unix:///s?db=3&user=u%26x&pass=s3cret",
            "redis+unix:///s?db=3&user=u%26x",
        ),
    ] {
        let address = Address::parse(text).unwrap();
        let shown = address.with_user().unwrap();
        assert_eq!(shown, expected);
        let again = Address::parse(&shown).unwrap();
        assert_eq!(
            (again.username, again.password),
            (address.username.clone(), None)
        );
    }
    assert_eq!(Address::parse("redis://h").unwrap().with_user(), None);
}

#[test]
fn a_refusal_never_repeats_the_password() {
    for text in [
        "http://u:s3cret@h/",
        "u:s3cret@h",
        "redis://u:s3cret@h:notaport/0",
        "redis://u:s3cret@h:1/notadb",
        "u:s3cret@h://",
        "redis+unix://relative?pass=s3cret",
        "rediss://u:s3cret@h:notaport/0",
        "rediss://u:s3cret@h/0#insecure",
        "rediss+unix:///s?pass=s3cret",
        "redis+cluster://u:s3cret@h:1,h:notaport/",
        "redis+cluster://u:s3cret@h:1/3",
        "redis+cluster://u:s3cret@/",
        "redis+cluster://u:s3cret%@h/",
        "redis+cluster://u:s3cret%ff@h/",
        "redis+cluster://h/?pass=s3cret",
        "redis+cluster://u:s3cret@h:+1/",
        "redis+cluster://u:s3cret@h:0/",
        "redis+cluster://u:s3cret@::1:7000/",
        "redis+sentinel://u:s3cret@h:1",
        "redis+sentinel://u:s3cret@h:1/na%20me",
        "redis+sentinel://u:s3cret@h:1/m/-1",
        "redis+sentinel://u:s3cret@h:1/m/1/2",
        "redis+sentinel://u:s3cret@h:1,,h:2/m",
        "redis+cluster://h:1,u:s3cret@h:2/",
        "redis+sentinel://u:s3cret@h:1,v:s3cret@h:2/m",
    ] {
        let error = Address::parse(text).unwrap_err();
        assert!(error.contains("expected"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[test]
fn several_servers_have_default_ports_and_stand_once_each() {
    let place = |text: &str| Address::parse(text).unwrap().place;
    assert_eq!(
        place("redis+cluster://u:p@a,b:7001,a:6379"),
        Place::Cluster(vec![Node::new("a", 6379), Node::new("b", 7001)])
    );
    assert_eq!(
        place("rediss+sentinel://a,[::1]/main.1"),
        Place::Sentinel {
            sentinels: vec![Node::new("a", 26379), Node::new("::1", 26379)],
            master: "main.1".to_owned(),
        }
    );
    assert_eq!(place("redis://[::1]:7"), Place::Tcp(Node::new("::1", 7)));
}

#[test]
fn the_order_of_servers_and_tls_do_not_make_another_store_but_a_further_server_does() {
    let same = |a: &str, b: &str| {
        let address = |text: &str| Address::parse(text).unwrap();
        address(a).same_as(&address(b))
    };
    assert!(same("redis+cluster://a,b", "rediss+cluster://b,a/0"));
    assert!(!same("redis+cluster://a,b", "redis+cluster://a"));
    assert!(same("redis+sentinel://a,b/m", "redis+sentinel://b,a/m/0"));
    for other in [
        "redis+sentinel://a,b/n",
        "redis+sentinel://a,b/m/1",
        "redis+sentinel://a/m",
        "redis+cluster://a:26379,b:26379",
    ] {
        assert!(!same("redis+sentinel://a,b/m", other), "{other}");
    }
    assert!(same("redis://a", "rediss://a:6379/0"));
}
