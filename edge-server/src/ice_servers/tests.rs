use super::*;
use crate::config::Flags;

fn servers(change: impl FnOnce(&mut Flags)) -> IceServers {
    let mut flags = Flags { dev: Some("true".to_owned()), ..Flags::default() };
    change(&mut flags);
    IceServers::new(&Config::load(&flags, []).unwrap())
}

/// RFC 4648 §10.
#[test]
fn base64_is_that_of_the_rfc() {
    for (plain, text) in
        [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy")]
    {
        assert_eq!(base64(plain.as_bytes()), text);
    }
    assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
}

/// The first is RFC 2202 §3, test case 2, in base64; the others were made with Python's `hmac` and `base64`.
#[test]
fn credentials_are_those_that_turn_servers_compute() {
    assert_eq!(credential("Jefe", "what do ya want for nothing?"), "7/zfauXrL6LSdBbV8YTfnCWafHk=");
    assert_eq!(credential("north", "1433895918:alice"), "RqMvcGPYTJMGThVLSi4amT4zFtI=");
    assert_eq!(credential("north", "1790003600:Ada: the first"), "KzCvmU7PNFlMI/V6GV6ql4eg/MU=");
}

#[test]
fn each_server_is_told_of_once_with_a_name_that_says_until_when() {
    let servers = servers(|flags| {
        flags.stun_servers = vec!["stun:stun.example:3478".to_owned()];
        let turn = ["turn:a.example:3478", "turns:a.example:443?transport=tcp", "turn:[2001:db8::7]?transport=udp"];
        flags.turn_servers = turn.map(str::to_owned).to_vec();
        flags.turn_secret = Some("north".to_owned());
    });
    let [stun, first, second] = &servers.of("Ada: the first", Duration::from_millis(1_790_000_000_900))[..] else {
        panic!("three servers")
    };
    assert_eq!((stun.urls.len(), &stun.username, &stun.credential, stun.lifetime_s), (1, &None, &None, None));
    assert_eq!(first.urls, ["turn:a.example:3478", "turns:a.example:443?transport=tcp"]);
    assert_eq!(second.urls, ["turn:[2001:db8::7]?transport=udp"]);
    for server in [first, second] {
        assert_eq!(server.username.as_deref(), Some("1790003600:Ada: the first"));
        assert_eq!(server.credential.as_deref(), Some("KzCvmU7PNFlMI/V6GV6ql4eg/MU="));
        assert_eq!(server.lifetime_s, Some(3600));
    }
    assert_eq!(servers.renewal(), Some(Duration::from_secs(1800)));
}

#[test]
fn without_turn_nothing_expires() {
    assert!(servers(|_| ()).of("alice", Duration::ZERO).is_empty());
    let only_stun = servers(|flags| flags.stun_servers = vec!["stun:stun.example".to_owned()]);
    assert_eq!((only_stun.of("alice", Duration::ZERO).len(), only_stun.renewal()), (1, None));
}

#[test]
fn clients_are_told_of_the_nearest_and_operators_of_all() {
    let mut servers = servers(|flags| {
        flags.turn_servers = ["far", "near", "farther", "silent"].map(|host| format!("turn:{host}.example:3478")).to_vec();
        flags.turn_secret = Some("north".to_owned());
    });
    servers.add_own(vec!["turn:own.example:3478".to_owned()], || unreachable!("there is a secret"));
    servers.note(|measured| {
        for (number, time) in [(0, Some(90)), (1, Some(10)), (2, Some(200)), (3, None), (3, None)] {
            measured.turn.note(number, time.map(Duration::from_millis));
        }
    });
    let given: Vec<_> = servers.of("alice", Duration::ZERO).into_iter().flat_map(|server| server.urls).collect();
    assert_eq!(given, ["turn:own.example:3478", "turn:near.example:3478", "turn:far.example:3478"]);
    let standings = servers.standings();
    assert_eq!(standings.iter().map(|one| one.given).collect::<Vec<_>>(), [true, true, false, false, true]);
    assert_eq!(standings.iter().map(|one| one.response_ms).collect::<Vec<_>>(), [Some(90.0), Some(10.0), Some(200.0), None, Some(0.0)]);
}
