//! Whatever happens, in whatever order, the promises hold.

use crate::world::{World, camera, millis, participant};
use client_core::trace::{Replay, Trace};
use client_core::{Event, Input, LinkId, Output, RequestId, SocketId, State, TransportState};
use nearcast_protocol::wire::Cbor;
use nearcast_protocol::{
    ClientMessage, EncodingDemand, ErrorCode, ErrorInfo, MediaAnswer, PublishIntent, Published, RoomMode, ServerMessage, SlotBinding, Wish,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Open,
    Token(bool),
    /// The edge deals with the oldest message: in the normal way, or refuses, or has forgotten the session.
    Edge(Reply),
    Lose,
    OfferMade,
    OfferFailed,
    Applied,
    ApplyFailed,
    Publish,
    Unpublish,
    Mute,
    Subscribe,
    Slot(u8, bool),
    SlotsWanted(u16),
    Encodings(bool),
    Wish(u16),
    People(bool),
    Noise(Vec<u8>),
    OldSocket,
    Transport(TransportState),
    /// A beat comes back.
    Echo,
    /// The edge goes away.
    Goodbye,
    Online,
    /// The edge names servers of so many addresses.
    IceServers(usize),
    IceServer(u32, bool),
    /// Talk directly, or not.
    Mode(bool),
    /// Ada's software says one of its words about a connection.
    Said(usize, u8, u8),
    /// A connection does something.
    Link(u8, u8),
}

#[derive(Clone, Copy, Debug)]
enum Reply {
    Normal,
    Overloaded,
    Forgotten,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..8000_u64).prop_map(Step::Wait),
        5 => Just(Step::Open),
        5 => prop::bool::weighted(0.95).prop_map(Step::Token),
        12 => prop::sample::select(vec![Reply::Normal; 8]).prop_map(Step::Edge),
        1 => Just(Step::Edge(Reply::Overloaded)),
        1 => Just(Step::Edge(Reply::Forgotten)),
        2 => Just(Step::Lose),
        5 => Just(Step::OfferMade),
        1 => Just(Step::OfferFailed),
        5 => Just(Step::Applied),
        1 => Just(Step::ApplyFailed),
        4 => Just(Step::Publish),
        2 => Just(Step::Unpublish),
        2 => Just(Step::Mute),
        2 => Just(Step::Subscribe),
        2 => (0..4_u8, any::<bool>()).prop_map(|(mid, bound)| Step::Slot(mid, bound)),
        1 => (0..70_u16).prop_map(Step::SlotsWanted),
        3 => any::<bool>().prop_map(Step::Encodings),
        2 => (0..4_u16).prop_map(Step::Wish),
        2 => any::<bool>().prop_map(Step::People),
        1 => prop::collection::vec(any::<u8>(), 0..20).prop_map(Step::Noise),
        1 => Just(Step::OldSocket),
        2 => prop::sample::select(vec![TransportState::Connected, TransportState::Disconnected, TransportState::Failed]).prop_map(Step::Transport),
        4 => Just(Step::Echo),
        1 => Just(Step::Goodbye),
        1 => Just(Step::Online),
        1 => (0..40_usize).prop_map(Step::IceServers),
        1 => (any::<u32>(), any::<bool>()).prop_map(|(address, works)| Step::IceServer(address % 50, works)),
        2 => any::<bool>().prop_map(Step::Mode),
        4 => (0..8_usize, 0..5_u8, 0..4_u8).prop_map(|(word, link, round)| Step::Said(word, link, round)),
        4 => (0..6_u8, 0..5_u8).prop_map(|(link, what)| Step::Link(link, what)),
    ];
    // Most scripts begin with a join that works: there is more to see behind it.
    (prop::bool::weighted(0.9), prop::collection::vec(step, 0..200)).prop_map(|(join, rest)| {
        let joined = [
            Step::Open,
            Step::Token(true),
            Step::OfferMade,
            Step::Transport(TransportState::Connected),
            Step::Edge(Reply::Normal),
            Step::Applied,
        ];
        joined.into_iter().filter(|_| join).chain(rest).collect()
    })
}

/// Does one step, if the world is in a state in which it can happen.
fn step(world: &mut World, step: Step, next_request: &mut u32) {
    let mut request = || {
        *next_request += 1;
        RequestId(*next_request)
    };
    match step {
        Step::Wait(ms) => world.run_for(millis(ms)),
        Step::Open if world.socket.is_some() => world.open(),
        Step::Token(good) if world.tokens_wanted > 0 => world.input(Input::Token(good.then(|| "token".into()))),
        Step::Edge(kind) if !world.inbox.is_empty() && world.socket.is_some() => edge(world, kind),
        Step::Lose if world.socket.is_some() => world.lose_socket(),
        Step::OfferMade if world.wanted_offer.is_some() => {
            world.make_offer();
            world.input(Input::OfferMade { sdp: "one too many".into(), mids: vec![] });
        }
        Step::OfferFailed if world.wanted_offer.is_some() => world.fail_offer(),
        Step::Applied if world.answers_applied.len() > world.answers_taken => {
            world.apply_answer();
            world.input(Input::AnswerApplied);
        }
        Step::ApplyFailed if world.answers_applied.len() > world.answers_taken => {
            world.answers_taken += 1;
            world.input(Input::AnswerFailed);
        }
        Step::Publish => {
            let RequestId(id) = request();
            world.publish(id);
        }
        Step::Unpublish => world.input(Input::Unpublish { request: request(), publication: "pub-9".into() }),
        Step::Mute => world.input(Input::Mute { request: request(), publication: "pub-9".into(), muted: true }),
        Step::Subscribe => world.input(Input::Subscribe { request: request(), publication: "cam".into() }),
        Step::IceServers(addresses) if world.socket.is_some() => {
            let urls = vec!["turn:a.example".into(); addresses];
            let servers = vec![nearcast_protocol::IceServer { urls, username: None, credential: None, lifetime_s: None }];
            world.receive(&ServerMessage::IceServers { servers });
        }
        Step::IceServer(address, works) => world.input(Input::IceServer { address, works }),
        Step::Slot(mid, bound) if world.socket.is_some() => {
            let binding = SlotBinding { mid: mid.to_string().as_str().into(), publication: bound.then(|| "cam".into()) };
            world.receive(&ServerMessage::Slot { binding });
        }
        Step::SlotsWanted(video) if world.socket.is_some() => world.receive(&ServerMessage::SlotsWanted { audio: 4, video }),
        Step::Encodings(active) if world.socket.is_some() => {
            let encodings = vec![EncodingDemand { rid: "f".into(), active, spatial_layers: 0 }];
            world.receive(&ServerMessage::Encodings { publication: "pub-9".into(), encodings });
        }
        Step::Wish(width) => world.input(Input::Wish(Wish {
            publication: "cam".into(),
            width,
            height: 0,
            visible: true,
            max_fps: 0,
            priority: nearcast_protocol::Priority::Auto,
        })),
        Step::People(here) if world.socket.is_some() => world.receive(&if here {
            ServerMessage::ParticipantJoined { participant: participant("ada", vec![camera("cam")]) }
        } else {
            ServerMessage::ParticipantLeft { participant: "ada".into(), reason: nearcast_protocol::LeaveReason::Left }
        }),
        Step::Noise(bytes) if world.socket.is_some() => {
            let socket = world.socket.unwrap();
            world.input(Input::SocketMessage(socket, bytes));
        }
        Step::OldSocket => world.input(Input::SocketMessage(SocketId(0), ServerMessage::Pong { id: 1 }.to_cbor())),
        Step::Transport(state) => world.input(Input::Transport(state)),
        Step::Echo => echo(world),
        Step::Goodbye if world.socket.is_some() => {
            world.receive(&ServerMessage::Closed { error: ErrorInfo::new(ErrorCode::ShuttingDown, "") });
        }
        Step::Online => world.input(Input::NetworkAvailable),
        Step::Mode(direct) if world.socket.is_some() => {
            world.receive(&ServerMessage::Mode { mode: if direct { RoomMode::P2p } else { RoomMode::Sfu } });
        }
        Step::Said(word, link, round) if world.socket.is_some() => {
            let word = ["offer", "answer", "candidate", "reply", "have", "lost", "end", "want"][word];
            let payload = format!("n={word} {link} {round}\nn=0 cam\nn=1 pub-9\nv=0\r\n");
            world.receive(&ServerMessage::Peer { from: "ada".into(), payload });
        }
        Step::Link(link, what) => {
            let link = LinkId(link.into());
            let sections = vec![("pub-9".into(), "0".into())];
            world.input(match what {
                0 => Input::LinkDescribed { link, sdp: "v=0".into(), sections },
                1 => Input::LinkCandidate { link, candidate: "candidate:1".into() },
                2 => Input::LinkState { link, state: TransportState::Connected },
                3 => Input::LinkState { link, state: TransportState::Disconnected },
                _ => Input::LinkState { link, state: TransportState::Failed },
            });
        }
        _ => {}
    }
}

/// The last beat comes back.
fn echo(world: &mut World) {
    if let Some(frame) = world.beats.pop() {
        world.input(Input::Data { frame, reliable: false });
    }
}

fn edge(world: &mut World, reply: Reply) {
    let envelope = world.inbox.remove(0);
    let resumes = matches!(&envelope.message, ClientMessage::Join(join) if join.resume.is_some());
    let refusal = match reply {
        Reply::Normal => None,
        Reply::Forgotten if resumes => Some(ErrorCode::SessionUnknown),
        Reply::Forgotten => None,
        Reply::Overloaded => Some(ErrorCode::Overloaded),
    };
    if let Some(code) = refusal.filter(|_| envelope.id != 0) {
        return world.receive(&ServerMessage::failed(envelope.id, code, ""));
    }
    match envelope.message {
        ClientMessage::Join(join) => {
            let answer = join.offer.map(|offer| answer(offer.publish));
            world.reply_joined_with(envelope.id, vec![], join.resume.is_some(), answer);
        }
        ClientMessage::Offer(offer) | ClientMessage::Transport(offer) => {
            world.receive(&ServerMessage::Answer { id: envelope.id, answer: answer(offer.publish) });
        }
        ClientMessage::Ping => world.receive(&ServerMessage::Pong { id: envelope.id }),
        _ if envelope.id != 0 => world.receive(&ServerMessage::Done { id: envelope.id }),
        _ => {}
    }
}

fn answer(publish: Vec<PublishIntent>) -> MediaAnswer {
    let published = publish.into_iter().map(|intent| Published {
        publication: Some(intent.publication.unwrap_or_else(|| format!("pub-{}", intent.mid).as_str().into())),
        mid: intent.mid,
        error: None,
    });
    MediaAnswer { sdp: String::new(), published: published.collect() }
}

/// A session after such a script, and how many requests were made. The transport takes its time.
fn run(seed: u64, steps: Vec<Step>) -> (World, u32) {
    let mut world = World::seeded(seed);
    world.transport_obeys = false;
    world.input(Input::Start);
    let mut requests = 0;
    for one in steps {
        if world.is_closed() {
            break;
        }
        step(&mut world, one, &mut requests);
    }
    (world, requests)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn every_request_ends_exactly_once(steps in steps(), seed in any::<u64>()) {
        let (mut world, requests) = run(seed, steps);
        if !world.is_closed() {
            world.input(Input::Leave);
        }
        prop_assert!(world.is_closed() && world.transport_closed && world.socket.is_none());
        for request in 1..=requests {
            // `outcome` refuses a second end.
            prop_assert!(world.outcome(request).is_some(), "request {} never ended", request);
        }
    }

    /// Whatever has happened: from now on everything works, and then the call does too, or is over.
    #[test]
    fn it_gets_well_when_everything_works(steps in steps(), seed in any::<u64>()) {
        let (mut world, _) = run(seed, steps);
        world.transport_obeys = true;
        for _ in 0..4000 {
            if world.is_closed() {
                break;
            }
            if world.wanted_offer.is_some() {
                world.make_offer();
            }
            while world.answers_taken < world.answers_applied.len() {
                world.apply_answer();
            }
            world.run_for(millis(50));
            for _ in 0..world.inbox.len() {
                if world.socket.is_some() && !world.inbox.is_empty() {
                    edge(&mut world, Reply::Normal);
                }
            }
            echo(&mut world);
            if world.socket.is_some() && !world.is_closed() {
                world.open();
                world.token();
            }
        }
        let state = world.session.state();
        prop_assert!(matches!(state, State::Connected | State::Disconnected), "{:?} for ever: {:?}", state, world.states());
    }

    /// Nothing works any more: it ends, with a reason.
    #[test]
    fn it_gives_up_when_nothing_works(steps in steps(), seed in any::<u64>()) {
        let (mut world, _) = run(seed, steps);
        world.input(Input::Transport(TransportState::Failed));
        world.run_for(millis(140_000));
        prop_assert!(world.closed_with().is_some_and(|code| !code.is_empty()), "{:?}: {:?}", world.session.state(), world.states());
    }

    #[test]
    fn one_offer_at_a_time(steps in steps(), seed in any::<u64>()) {
        prop_assert_eq!(run(seed, steps).0.most_negotiating, 1);
    }

    #[test]
    fn nothing_follows_closed(steps in steps(), seed in any::<u64>()) {
        let (mut world, _) = run(seed, steps);
        if !world.is_closed() {
            world.input(Input::Leave);
        }
        let World { mut session, now, .. } = world;
        let publication = || nearcast_protocol::PublicationId::from("cam");
        let late = [
            Input::Start,
            Input::Token(Some("token".into())),
            Input::SocketOpened(SocketId(1)),
            Input::SocketMessage(SocketId(1), ServerMessage::Pong { id: 1 }.to_cbor()),
            Input::SocketClosed(SocketId(1)),
            Input::NetworkAvailable,
            Input::OfferMade { sdp: String::new(), mids: vec![] },
            Input::OfferFailed,
            Input::AnswerApplied,
            Input::AnswerFailed,
            Input::Transport(TransportState::Failed),
            Input::Leave,
        ];
        for input in late {
            session.handle_input(now, input);
        }
        session.handle_timeout(now + millis(1_000_000));
        prop_assert_eq!(session.poll_output(), None);
        prop_assert_eq!(session.poll_timeout(), None);
        session.handle_input(now, Input::Subscribe { request: RequestId(9999), publication: publication() });
        let refused = matches!(session.poll_output(), Some(Output::Event(Event::Failed { request: RequestId(9999), .. })));
        prop_assert!(refused);
    }

    #[test]
    fn a_trace_replays_whatever_the_order(steps in steps(), seed in any::<u64>()) {
        let trace = Trace::read(&run(seed, steps).0.session.trace()).unwrap();
        prop_assert_eq!(trace.replayable(), trace.entries().len());
        prop_assert_eq!(trace.replay().unwrap(), Replay::Identical);
    }

    #[test]
    fn the_same_seed_and_inputs_give_the_same_events(steps in steps(), seed in any::<u64>()) {
        prop_assert_eq!(run(seed, steps.clone()).0.events, run(seed, steps).0.events);
    }
}

#[test]
fn the_steps_reach_the_interesting_places() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for seed in 0..400 {
        let script = steps().new_tree(&mut runner).unwrap().current();
        let (world, _) = run(seed, script);
        for event in &world.events {
            seen.insert(match event {
                Event::Published { .. } => "published",
                Event::TrackSubscribed { .. } => "track",
                Event::LocalUnpublished { .. } => "dropped",
                Event::StateChanged { reason, .. } => reason.name(),
                Event::Done { .. } => "done",
                Event::Failed { .. } => "failed",
                _ => "other",
            });
        }
    }
    for place in [
        "published",
        "track",
        "dropped",
        "resumed",
        "no-pong",
        "bad-message",
        "socket-closed",
        "done",
        "failed",
        "no-media",
        "media-back",
        "moved",
    ] {
        assert!(seen.contains(place), "never reached: {place}; reached {seen:?}");
    }
}
