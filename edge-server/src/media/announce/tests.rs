use super::*;

fn up(address: &str) -> Interface {
    Interface { address: address.parse().unwrap(), up: true }
}

fn announced(named: &[&str], bound: &str, development: bool) -> Vec<String> {
    let named: Vec<IpAddr> = named.iter().map(|address| address.parse().unwrap()).collect();
    let mut interfaces = ["127.0.0.1", "::1", "10.0.0.5", "fe80::1", "169.254.3.4", "2001:db8::5", "192.168.1.9"].map(up).to_vec();
    interfaces.push(Interface { address: "10.9.9.9".parse().unwrap(), up: false });
    candidates(&named, bound.parse().unwrap(), &interfaces, development).iter().map(ToString::to_string).collect()
}

#[test]
fn every_interface_that_others_can_reach() {
    assert_eq!(announced(&[], "[::]:7700", false), ["10.0.0.5:7700", "192.168.1.9:7700", "[2001:db8::5]:7700"]);
}

#[test]
fn ipv4_only_when_bound_to_ipv4() {
    assert_eq!(announced(&[], "0.0.0.0:7700", false), ["10.0.0.5:7700", "192.168.1.9:7700"]);
}

#[test]
fn loopback_last_in_development() {
    let all = ["10.0.0.5:7700", "192.168.1.9:7700", "[2001:db8::5]:7700", "127.0.0.1:7700", "[::1]:7700"];
    assert_eq!(announced(&[], "[::]:7700", true), all);
}

#[test]
fn the_bound_address_if_it_is_one() {
    assert_eq!(announced(&[], "127.0.0.1:9", false), ["127.0.0.1:9"]);
}

#[test]
fn what_was_named_and_nothing_else() {
    assert_eq!(announced(&["203.0.113.7", "203.0.113.7"], "10.0.0.5:9", true), ["203.0.113.7:9"]);
}
