//! RTCP: what publishers are told of their path, and what subscribers need to play voice and face in sync.

use nearcast_protocol::ClientMessage;
use nearcast_sim::{Client, ClientId, Joining, Packet, SourcePlan, World, ms, secs};
use std::time::{Duration, SystemTime};
use str0m::media::Mid;
use str0m::rtp::rtcp::{ReceptionReport, Rtcp, SenderInfo};
use str0m_netem::NetemConfig;

/// Reports about what somebody sends, oldest first.
fn reports(client: &Client) -> Vec<ReceptionReport> {
    let lists = client.rtcp.iter().filter_map(|(_, packet)| match packet {
        Rtcp::ReceiverReport(report) => Some(&report.reports),
        _ => None,
    });
    lists.flat_map(|list| list.iter().copied()).collect()
}

#[test]
fn the_publisher_hears_of_its_loss() {
    let mut world = World::seeded(60);
    let alice = world.joined(Joining::new("alice").camera().microphone());
    let _bob = world.joined(Joining::new("bob").slots(1, 1));
    world.run_for(secs(2));
    assert!(reports(&world[alice]).iter().all(|report| report.fraction_lost == 0 && report.packets_lost == 0));
    world.link(alice).lose_up(0.1);
    world.run_for(secs(20));

    let sent = world[alice].sources[0].sent.len();
    let last = *reports(&world[alice]).iter().max_by_key(|report| report.packets_lost).unwrap();
    let share = f64::from(last.packets_lost) / (sent as f64 * 20.0 / 22.0);
    println!("{} of {sent} lost: {:.1} %", last.packets_lost, share * 100.0);
    assert!((0.08..0.12).contains(&share), "repair doesn't make the path better: {share}");
    let fractions: Vec<_> =
        reports(&world[alice]).iter().filter(|report| report.ssrc == last.ssrc).map(|report| report.fraction_lost).collect();
    let mean = fractions[3..].iter().map(|fraction| f64::from(*fraction) / 256.0).sum::<f64>() / (fractions.len() - 3) as f64;
    assert!((0.08..0.12).contains(&mean), "{fractions:?}");
}

#[test]
fn reports_come_about_once_a_second_and_carry_the_round_trip() {
    let mut world = World::seeded(61);
    let alice = world.joined(Joining::new("alice").camera());
    world.run_for(secs(10));
    let reports = reports(&world[alice]);
    assert!((9..=11).contains(&reports.len()), "{}", reports.len());
    assert!(reports[3..].iter().all(|report| report.last_sr_time != 0), "they answer our sender reports");
    let highest = world[alice].sources[0].sent.last().unwrap().seq as u32;
    assert!(reports.last().unwrap().max_seq.abs_diff(highest) < 400);
}

/// When a packet was captured, by the newest sender report before it, on the edge's clock.
fn mapped(client: &Client, packet: &Packet, rate: f64) -> Option<Duration> {
    let of_stream = |info: &SenderInfo| *info.ssrc == packet.ssrc;
    let mut infos = client.rtcp.iter().filter_map(|(at, rtcp)| match rtcp {
        Rtcp::SenderReport(report) if *at <= packet.at => Some(report.sender_info),
        _ => None,
    });
    let info = infos.rfind(of_stream)?;
    let ticks = f64::from(packet.timestamp.wrapping_sub(info.rtp_time.numer() as u32) as i32);
    let ntp = info.ntp_time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
    Some(Duration::from_secs_f64(ntp + ticks / rate))
}

/// How far voice and face are apart when played as the sender reports say; seconds, over everything from `since` on.
fn skew(world: &World, who: ClientId, audio: Mid, video: Mid, since: Duration) -> f64 {
    let client = &world[who];
    let offsets = |mid: Mid, rate: f64| -> Vec<f64> {
        let packets = client.packets_in(mid).into_iter().filter(|packet| packet.at >= since);
        packets.filter_map(|packet| Some(mapped(client, &packet, rate)?.as_secs_f64() - packet.tag.captured().as_secs_f64())).collect()
    };
    let (audio, video) = (offsets(audio, 48_000.0), offsets(video, 90_000.0));
    assert!(audio.len() > 50 && video.len() > 50, "{} {}", audio.len(), video.len());
    let extremes = |offsets: &[f64]| offsets.iter().fold((f64::MAX, f64::MIN), |(low, high), offset| (low.min(*offset), high.max(*offset)));
    let ((a_low, a_high), (v_low, v_high)) = (extremes(&audio), extremes(&video));
    (a_high - v_low).max(v_high - a_low)
}

/// A voice that takes 5 ms to encode and a face that takes 60: played as they come, they would be 55 ms apart.
fn speaker(name: &str, first: u32) -> Joining {
    let face = SourcePlan { encoding: ms(60), first_timestamp: first.wrapping_mul(7), ..SourcePlan::camera() };
    let voice = SourcePlan { first_timestamp: first, ..SourcePlan::microphone() };
    Joining::new(name).publishing(voice).publishing(face)
}

#[test]
fn voice_and_face_stay_together() {
    let mut world = World::seeded(62);
    let alice = world.joined(speaker("alice", 3_000_000_000));
    let bob = world.joined(Joining::new("bob").slots(1, 1));
    world.link(alice).up(NetemConfig::new().latency(ms(40)).jitter(ms(15)));
    world.run_for(secs(10));
    let slot = |source| world[bob].slot_of(&world[alice].publication(source)).unwrap();
    let apart = skew(&world, bob, slot(0), slot(1), secs(5));
    println!("{:.2} ms apart", apart * 1_000.0);
    assert!(apart <= 0.005, "{apart}");
}

#[test]
fn they_stay_together_in_slots_that_carried_others_before() {
    let mut world = World::seeded(63);
    let alice = world.joined(speaker("alice", 3_000_000_000));
    let carol = world.joined(speaker("carol", 77));
    let bob = world.joined(Joining::new("bob").slots(1, 1).by_choice());
    for who in [alice, carol] {
        let publications = [world[who].publication(0), world[who].publication(1)];
        for publication in publications.clone() {
            world.ask(bob, ClientMessage::Subscribe { publication });
        }
        world.run_for(secs(5));
        let since = world.now() - secs(2);
        let slot = |publication| world[bob].slot_of(publication).unwrap();
        let apart = skew(&world, bob, slot(&publications[0]), slot(&publications[1]), since);
        println!("{:.2} ms apart", apart * 1_000.0);
        assert!(apart <= 0.005, "{apart}");
        for publication in publications {
            world.ask(bob, ClientMessage::Unsubscribe { publication });
        }
    }
}

#[test]
fn sender_reports_count_what_was_sent() {
    let mut world = World::seeded(64);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(5));
    let (at, info) = world[bob]
        .rtcp
        .iter()
        .filter_map(|(at, rtcp)| match rtcp {
            Rtcp::SenderReport(report) => Some((*at, report.sender_info)),
            _ => None,
        })
        .next_back()
        .unwrap();
    let received = world[bob].packets_of(alice, 0).iter().filter(|packet| packet.at <= at).count();
    assert!(info.sender_packet_count.abs_diff(received as u32) <= 20, "{} {received}", info.sender_packet_count);
    assert!(info.sender_octet_count > 1_000 * info.sender_packet_count);
}

#[test]
fn every_packet_is_in_the_transport_wide_feedback() {
    let mut world = World::seeded(65);
    let alice = world.joined(Joining::new("alice").camera().microphone());
    world.run_for(secs(10));
    let feedback: Vec<_> = world[alice]
        .rtcp
        .iter()
        .filter_map(|(at, rtcp)| match rtcp {
            Rtcp::Twcc(twcc) => Some((*at, twcc.clone())),
            _ => None,
        })
        .collect();
    let sent: usize = world[alice].sources.iter().map(|source| source.sent.len()).sum();
    let reported: usize = feedback.iter().map(|(_, twcc)| usize::from(twcc.status_count)).sum();
    assert!(reported.abs_diff(sent) < 60, "{reported} of {sent}");
    let counts: Vec<_> = feedback.iter().map(|(_, twcc)| twcc.feedback_count).collect();
    assert!(counts.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)));
    let longest = feedback.windows(2).map(|pair| pair[1].0 - pair[0].0).max().unwrap();
    assert!(longest <= ms(120), "{longest:?}");
}

#[test]
fn a_receivers_limit_is_taken_note_of() {
    let mut world = World::seeded(66);
    let alice = world.joined(Joining::new("alice").camera());
    let bob = world.joined(Joining::new("bob").slots(0, 1));
    world.run_for(secs(1));
    let mid = world[bob].slots[0].mid;
    world.send_remb(bob, mid, 700_000);
    world.run_for(secs(1));
    assert_eq!((world.stats().rembs_received, world.stats().dropped_malformed), (1, 0));
    assert!(world[bob].packets_of(alice, 0).len() > 400);
}
