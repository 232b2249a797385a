//! The answer to each fixture, reviewed once and applied in the client that made the offer: see `docs/sdp.md`.
//!
//! `BLESS=1 cargo test -p sfu-core sdp` writes them anew; review the difference.

use super::*;

fn check(name: &str) {
    let offer = offer(name);
    let options = AnswerOptions { simulcast: name.ends_with("simulcast") };
    let written = write(&offer, &grant_all(&offer, &options));
    let path = fixture_path(name, "answer");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &written).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert!(written == expected, "the answer to {name} changed; `BLESS=1` writes it anew:\n{written}");
}

#[test]
fn answers_to_real_offers_are_as_reviewed() {
    FIXTURES.into_iter().for_each(check);
}

#[test]
fn no_fixture_is_forgotten() {
    let folder = fixture_path("any", "offer").parent().unwrap().to_owned();
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter_map(|name| Some(name.strip_suffix(".offer.sdp")?.to_owned())).collect();
    names.sort_unstable();
    assert_eq!(names, FIXTURES);
}
