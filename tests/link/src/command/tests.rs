use super::obey;
use crate::link::{Link, Way};
use crate::settings::Settings;

#[test]
fn what_is_not_named_stays() {
    let mut link = Link::new(1);
    obey(&mut link, r#"{"both":{"delay_ms":25},"up":{"rate_kbps":400}}"#);
    obey(&mut link, r#"{"up":{"loss":0.5}}"#);
    let up = link.settings(Way::Up);
    assert_eq!((up.delay_ms, up.rate_kbps, up.loss), (25.0, 400, 0.5));
    assert_eq!(link.settings(Way::Down), Settings { delay_ms: 25.0, ..Settings::default() });
    obey(&mut link, r#"{"reset":true,"down":{"loss":0.1}}"#);
    assert_eq!(link.settings(Way::Up), Settings::default());
    assert_eq!(link.settings(Way::Down), Settings { loss: 0.1, ..Settings::default() });
}

#[test]
fn bursts_and_random_loss_end_each_other() {
    let mut link = Link::new(1);
    obey(&mut link, r#"{"up":{"loss":0.5}}"#);
    obey(&mut link, r#"{"up":{"bursts":{"good":40,"bad":2}}}"#);
    assert_eq!(link.settings(Way::Up).loss, 0.0);
    obey(&mut link, r#"{"up":{"loss":0.1}}"#);
    assert_eq!(link.settings(Way::Up).bursts, None);
}

#[test]
fn answers_tell_how_things_stand() {
    let mut link = Link::new(1);
    assert!(obey(&mut link, r#"{"cut":true}"#).contains(r#""cut":true"#));
    let answer: serde_json::Value = serde_json::from_str(&obey(&mut link, "{}")).unwrap();
    assert_eq!((&answer["cut"], &answer["down"]["counts"]["sent"]), (&true.into(), &0.into()));
    assert!(obey(&mut link, r#"{"cut":false,"block":{"udp_port":4000}}"#).contains(r#""cut":false"#));
}

#[test]
fn nonsense_is_refused_in_words_and_changes_nothing() {
    let mut link = Link::new(1);
    let refused = [
        ("", "EOF"),
        ("7", "invalid type"),
        (r#"{"dwon":{}}"#, "unknown field `dwon`"),
        (r#"{"up":{"loss":1.5}}"#, "loss = 1.5 is outside 0..=1"),
        (r#"{"both":{"delay_ms":5},"cut":true,"down":{"delay_ms":-1}}"#, "delay_ms = -1 is outside 0..=60000"),
        (r#"{"up":{"bursts":{"good":0.5,"bad":2}}}"#, "bursts.good = 0.5 is outside 1 or more"),
        (r#"{"block":"tcp"}"#, "unknown variant `tcp`"),
    ];
    for (line, why) in refused {
        let answer = obey(&mut link, line);
        assert!(answer.starts_with(r#"{"error":"#) && answer.contains(why), "{line}: {answer}");
    }
    assert_eq!((link.settings(Way::Up), link.is_cut()), (Settings::default(), false));
}
