//! RED (RFC 2198): who takes it gets it as it is, who doesn't gets the Opus inside.

use nearcast_sim::{ClientId, Joining, SourcePlan, World, contiguous, secs};
use str0m::RtcConfig;

fn with_red(config: RtcConfig) -> RtcConfig {
    config.enable_opus(true, true)
}

#[test]
fn to_each_what_it_can_read() {
    let mut world = World::seeded(170);
    let plan = SourcePlan { redundant: true, ..SourcePlan::microphone() };
    let alice = world.joined(Joining::new("alice").publishing(plan).configured(with_red));
    let modern = world.joined(Joining::new("modern").slots(1, 0).configured(with_red));
    let plain = world.joined(Joining::new("plain").slots(1, 0).configured(|config| config.enable_opus(true, false)));
    world.run_for(secs(2));
    let redundancy = |who: ClientId| world[who].packets_of(alice, 0).iter().map(|packet| packet.redundancy).max();
    assert_eq!((redundancy(modern), redundancy(plain)), (Some(1), Some(0)));
    for who in [modern, plain] {
        let packets = world[who].packets_of(alice, 0);
        assert!(packets.len() > 90);
        assert!(contiguous(packets.iter().map(|packet| packet.seq)));
    }
    assert_ne!(world[modern].packets[0].payload_type, world[plain].packets[0].payload_type);
}
