//! Precedence, and what a tired operator reads when something is wrong.

use super::*;
use std::path::PathBuf;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A file that is removed at the end of the test.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("nearcast-{}-{name}.toml", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn flags(&self) -> Flags {
        Flags { config: Some(self.0.clone()), ..Flags::default() }
    }

    fn faults(&self) -> String {
        let faults = Config::load(&self.flags(), []).unwrap_err().to_string();
        faults.replace(&self.0.display().to_string(), "edge.toml")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn variables(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn fault(flags: &Flags, environment: &[(&str, &str)]) -> String {
    Config::load(flags, variables(environment)).unwrap_err().to_string()
}

fn dev() -> Flags {
    Flags { dev: Some("true".to_owned()), ..Flags::default() }
}

#[test]
fn every_default_is_valid_and_what_the_documentation_says() {
    let config = Config::development().unwrap();
    for (setting, value) in config.effective() {
        if setting.key != "dev" && !setting.default.is_empty() {
            assert_eq!(value.trim_matches('"'), setting.default, "{}", setting.key);
        }
    }
}

#[test]
fn flags_beat_environment_beats_file_beats_default() {
    let file = File::new("precedence", "dev = true\nshards = 3\nmessage_rate = 30\nhttp = \"127.0.0.1:3\"");
    let environment = variables(&[("NEARCAST_SHARDS", "2"), ("NEARCAST_HTTP", "127.0.0.1:2")]);
    let flags = Flags { http: Some("127.0.0.1:1".to_owned()), ..file.flags() };
    let config = Config::load(&flags, environment).unwrap();
    assert_eq!(config.http.0.port(), 1);
    assert_eq!(config.shards.text(), "2");
    assert_eq!(config.message_rate.0, 30);
    assert_eq!(config.message_burst.0, 200);
    assert!(config.dev.0);
}

#[test]
fn the_file_can_be_named_by_the_environment() {
    let file = File::new("variable", "dev = true\nshards = 7");
    let config = Config::load(&Flags::default(), variables(&[("NEARCAST_CONFIG", file.0.to_str().unwrap())])).unwrap();
    assert_eq!(config.shards.text(), "7");
}

#[test]
fn a_list_replaces_a_list() {
    let file = File::new("lists", &format!("announce = [\"10.0.0.1\", \"10.0.0.2\"]\n[keys]\nfile = \"{SECRET}\""));
    let config = Config::load(&file.flags(), variables(&[("NEARCAST_ANNOUNCE", "192.0.2.1, 2001:db8::1")])).unwrap();
    assert_eq!(config.announce.text(), "192.0.2.1,2001:db8::1");
    assert_eq!(config.keys.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), ["file"]);
    let keys = vec![format!("a:{SECRET}"), format!("b:{SECRET}")];
    let config = Config::load(&Flags { keys, ..file.flags() }, []).unwrap();
    assert_eq!(config.keys.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(config.announce.0.len(), 2);
}

#[test]
fn policies_are_a_table_in_the_file_and_a_list_elsewhere() {
    let file = File::new(
        "policies",
        "dev = true\n[policies]\narena = \"judge: audio video; audience: video\"\nlecture = \"*: video from teacher\"",
    );
    let config = Config::load(&file.flags(), []).unwrap();
    let arena = config.policies.named("arena").unwrap();
    assert!(arena.allows(Some("audience"), None, true) && !arena.allows(Some("audience"), None, false));
    assert!(config.policies.named("lecture").is_some() && config.policies.named("open").is_none());
    let printed = File::new("policies-printed", &reference::effective(&config));
    assert_eq!(Config::load(&printed.flags(), []).unwrap().policies, config.policies);
    let listed = Config::load(&dev(), variables(&[("NEARCAST_POLICIES", &config.policies.text())])).unwrap();
    assert_eq!(listed.policies, config.policies);
    let comma = File::new("policies-comma", "dev = true\n[policies]\narena = \"judge, player: audio\"");
    assert!(comma.faults().contains("separate roles by spaces"), "{}", comma.faults());
}

#[test]
fn an_empty_variable_counts_as_none() {
    let config = Config::load(&dev(), variables(&[("NEARCAST_SHARDS", ""), ("NEARCAST_ANNOUNCE", "")])).unwrap();
    assert_eq!(config.shards.text(), "auto");
}

#[test]
fn without_a_key_the_start_says_how_to_get_one() {
    let fault = fault(&Flags::default(), &[]);
    assert!(fault.contains("keys: none given") && fault.contains("openssl rand") && fault.contains("--dev"), "{fault}");
}

#[test]
fn faults_name_place_value_range_and_remedy() {
    let file = File::new("range", "# comment\ndev = true\n\nshards = 0\n");
    assert_eq!(file.faults(), "edge.toml:4: shards = 0 is outside 1 to 255; write \"auto\" for one per core");
    assert_eq!(fault(&dev(), &[("NEARCAST_SHARDS", "999")]), "NEARCAST_SHARDS = 999 is outside 1 to 255; write \"auto\" for one per core");
    let flags = Flags { udp: Some("7700".to_owned()), ..dev() };
    assert_eq!(fault(&flags, &[]), "--udp = 7700 has a port but no address; write [::]:7700");
}

#[test]
fn each_setting_refuses_nonsense_with_a_remedy() {
    let table = [
        ("NEARCAST_HTTP", "localhost:8080", "names are not resolved"),
        ("NEARCAST_HTTP", "10.0.0.1", "has an address but no port"),
        ("NEARCAST_ANNOUNCE", "edge.example.org", "names are not resolved"),
        ("NEARCAST_ANNOUNCE", "10.0.0.1:7700", "give the address alone"),
        ("NEARCAST_ANNOUNCE", "0.0.0.0", "no browser can send to"),
        ("NEARCAST_SHARDS", "many", "nor \"auto\""),
        ("NEARCAST_LOG", "verbose", "levels are off, error, warn"),
        ("NEARCAST_LOG_FORMAT", "xml", "neither human nor json"),
        ("NEARCAST_MAX_CONNECTIONS", "0", "is outside 1 to 1000000"),
        ("NEARCAST_JOIN_TIMEOUT", "10", "has no unit; write 10s, 10ms or 10m"),
        ("NEARCAST_JOIN_TIMEOUT", "soon", "is not a time such as 10s"),
        ("NEARCAST_RESUME_WINDOW", "1h", "is outside 0s to 10m"),
        ("NEARCAST_SOCKET_BUFFER", "4MB", "is not a whole number from 65536"),
        ("NEARCAST_DEV", "maybe", "neither true nor false"),
        ("NEARCAST_PING_INTERVAL", "30s", "raise idle_timeout"),
        ("NEARCAST_ROOM_MODE", "mesh", "none of auto, sfu, p2p"),
        ("NEARCAST_EDGES", "edge.example.org", "does not begin with https://"),
        ("NEARCAST_EDGES", "https://", "has no host"),
        ("NEARCAST_STUN_SERVERS", "turn:a.example", "does not begin with stun:"),
        ("NEARCAST_STUN_SERVERS", "stun:a.example:port", "a port that is not a number"),
        ("NEARCAST_TURN_SERVERS", "turn://a.example", "without slashes"),
        ("NEARCAST_TURN_SERVERS", "turn:a.example?transport=sctp", "neither ?transport=udp nor"),
        ("NEARCAST_TURN_LIFETIME", "1s", "is outside 2s to 7days"),
        ("NEARCAST_POLICIES", "judge: audio", "write NAME=ROLES"),
        ("NEARCAST_POLICIES", "arena=judge: sound", "neither audio, video nor nothing"),
        ("NEARCAST_POLICIES", "a=*: audio,a=*: video", "twice"),
    ];
    for (variable, value, part) in table {
        let fault = fault(&Flags::default(), &[("NEARCAST_DEV", "true"), (variable, value)]);
        assert!(fault.contains(part), "{variable}={value}: {fault}");
        assert!(fault.contains(value), "{variable}={value}: {fault}");
    }
}

#[test]
fn all_faults_are_shown_at_once() {
    let file = File::new("several", "dev = true\nshards = 0\nhttp = 8080\nudp = true");
    assert_eq!(file.faults().lines().count(), 3);
}

#[test]
fn misspelt_settings_stop_the_start() {
    let file = File::new("typo", "dev = true\nshard = 2\ncolour = \"blue\"\n[http]\nlisten = 1");
    let faults = file.faults();
    assert!(faults.contains("edge.toml:2: shard is not a setting; did you mean shards?"), "{faults}");
    assert!(faults.contains("edge.toml:3: colour is not a setting; settings are http, udp"), "{faults}");
    assert!(faults.contains("edge.toml:4: http is a table; write http = … above the first [table]"), "{faults}");
    let fault = fault(&dev(), &[("NEARCAST_SHARD", "2")]);
    assert_eq!(fault, "NEARCAST_SHARD is not a setting; did you mean NEARCAST_SHARDS?");
}

#[test]
fn variables_that_kubernetes_makes_up_are_let_be() {
    let made_up =
        [("NEARCAST_SERVICE_HOST", "10.0.0.1"), ("NEARCAST_PORT", "tcp://10.0.0.1:80"), ("NEARCAST_PORT_80_TCP_ADDR", "10.0.0.1")];
    assert!(Config::load(&dev(), variables(&made_up)).is_ok());
}

#[test]
fn broken_toml_and_missing_files_say_where() {
    let file = File::new("broken", "dev = true\nshards = = 2");
    assert!(file.faults().starts_with("edge.toml:2: is not TOML"), "{}", file.faults());
    let flags = Flags { config: Some(PathBuf::from("/nowhere/edge.toml")), ..dev() };
    let fault = fault(&flags, &[]);
    assert!(fault.starts_with("/nowhere/edge.toml: cannot be read") && fault.contains("--config"), "{fault}");
}

#[test]
fn secrets_are_never_shown() {
    let short = "hush-hush";
    for given in [format!("a:{short}"), format!("bad id:{SECRET}{short}"), format!("a:{SECRET}{short},a:{SECRET}{short}"), short.to_owned()]
    {
        let fault = fault(&Flags { keys: vec![given.clone()], ..Flags::default() }, &[]);
        assert!(!fault.contains(short), "{given}: {fault}");
    }
    let config = Config::load(&Flags { keys: vec![format!("a:{SECRET}")], ..Flags::default() }, []).unwrap();
    assert!(!reference::effective(&config).contains(SECRET));
    assert!(!format!("{config:?}").contains(SECRET));
}

#[test]
fn servers_and_their_secret_belong_together() {
    for variable in [("NEARCAST_TURN_SERVERS", "turn:a.example"), ("NEARCAST_TURN_SECRET", "hush-hush")] {
        let fault = fault(&dev(), &[variable]);
        assert!(fault.contains("turn_servers and turn_secret belong together") && !fault.contains("hush-hush"), "{fault}");
    }
    let names = |scheme: &str, count| (0..count).map(|host| format!("{scheme}:host-{host}.example")).collect::<Vec<_>>().join(",");
    let (stun, turn) = (names("stun", 4), names("turn", 5));
    let many = [("NEARCAST_STUN_SERVERS", stun.as_str()), ("NEARCAST_TURN_SERVERS", &turn), ("NEARCAST_TURN_SECRET", "hush-hush")];
    let fault = fault(&dev(), &many);
    assert!(fault.contains("name 9 servers, more than 8"), "{fault}");
    let config =
        Config::load(&dev(), variables(&[("NEARCAST_TURN_SERVERS", "turn:a.example"), ("NEARCAST_TURN_SECRET", "hush-hush")])).unwrap();
    assert!(!reference::effective(&config).contains("hush-hush") && !format!("{config:?}").contains("hush-hush"));
}

#[test]
fn the_published_development_secret_is_no_key() {
    let given = format!("k:{}", keys::DEVELOPMENT_SECRET);
    let fault = fault(&Flags { keys: vec![given], ..Flags::default() }, &[]);
    assert!(fault.contains("published development secret"), "{fault}");
    let given = format!("dev:{SECRET}");
    let fault = super::tests::fault(&Flags { keys: vec![given], ..dev() }, &[]);
    assert!(fault.contains("taken by the development key"), "{fault}");
}

#[test]
fn what_is_printed_can_be_read_again() {
    let config = Config::load(&Flags { announce: vec!["192.0.2.1".to_owned()], shards: Some("3".to_owned()), ..dev() }, []).unwrap();
    let file = File::new("round", &reference::effective(&config));
    let again = Config::load(&file.flags(), []).unwrap();
    assert_eq!(reference::effective(&again), reference::effective(&config));
}

#[test]
fn the_documentation_is_what_the_code_says() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
    let written = std::fs::read_to_string(page).unwrap();
    assert!(
        written == reference::markdown(),
        "docs/configuration.md is out of date; run: cargo run -p nearcast-edge -- config --markdown > docs/configuration.md"
    );
}

#[test]
fn an_edge_of_a_cluster_says_where_it_is() {
    let key = format!("k1:{SECRET}");
    let flags = Flags { redis: Some("redis://10.0.0.5".to_owned()), keys: vec![key], ..Flags::default() };
    let said = fault(&flags, &[]);
    assert!(said.contains("redis needs client_url") && said.contains("https://"), "{said}");
    let url = Some("https://edge1.example.org".to_owned());
    assert_eq!(Config::load(&Flags { client_url: url.clone(), ..flags }, []).unwrap().client_url.0, url);
}

#[test]
fn what_is_wrong_with_a_cluster_is_said_without_its_password() {
    let said = fault(&Flags { redis: Some("rediss://:hunter2@redis.example".to_owned()), ..dev() }, &[("NEARCAST_EDGE_ID", "edge one")]);
    assert!(said.contains("write redis://HOST:PORT") && said.contains("edge one") && !said.contains("hunter2"), "{said}");
}
