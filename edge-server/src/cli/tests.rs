use super::*;

fn parse(line: &[&str]) -> Result<Cli, clap::Error> {
    let arguments = ["nearcast-edge"].into_iter().chain(line.iter().copied());
    command().try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches))
}

#[test]
fn the_parser_is_sound() {
    command().debug_assert();
}

#[test]
fn help_tells_default_range_and_variable_of_every_setting() {
    let help = parse(&["serve", "--help"]).unwrap_err().to_string();
    for setting in SETTINGS {
        assert!(help.contains(&setting.flag()) && help.contains(&reference::help_suffix(setting)), "{}", setting.key);
    }
    assert!(help.contains("ready http=ADDR udp=ADDR"));
}

#[test]
fn switches_and_lists_read_as_people_write_them() {
    let line = ["serve", "--dev", "--announce", "10.0.0.1", "--announce=10.0.0.2,10.0.0.3", "--shards", "2"];
    let Command::Serve(flags) = parse(&line).unwrap().command else { panic!("not serve") };
    let config = Config::load(&flags, []).unwrap();
    assert!(config.dev.0);
    assert_eq!(config.announce.0.len(), 3);
    let Command::Serve(flags) = parse(&["serve", "--dev=false"]).unwrap().command else { panic!("not serve") };
    assert_eq!(flags.dev.as_deref(), Some("false"));
    assert!(parse(&["serve", "--shards", "1", "--shards", "2"]).is_err());
}

#[test]
fn a_token_needs_a_room_and_an_identity() {
    let missing = parse(&["token", "--dev"]).unwrap_err().to_string();
    assert!(missing.contains("--room") && missing.contains("--identity"), "{missing}");
    assert!(parse(&["token", "--dev", "--room", "r", "--identity", "i", "--ttl", "soon"]).is_err());
    assert!(parse(&["token", "--dev", "--room", "r", "--identity", "i", "--ttl", "15m", "--no-publish"]).is_ok());
}
