use super::*;
use crate::rtp::AudioLevel;
use slotmap::SlotMap;

/// A room of voices whose loudness is given for each step of 20 ms.
struct Room {
    keys: Vec<PublicationKey>,
    voices: SlotMap<PublicationKey, Loudness>,
    loudest: Loudest,
    heard: Vec<PublicationKey>,
    limit: usize,
    now: Instant,
    entries: usize,
}

impl Room {
    fn of(count: usize, limit: usize) -> Self {
        let mut voices = SlotMap::with_key();
        let keys = (0..count).map(|_| voices.insert(Loudness::default())).collect();
        Self { keys, voices, loudest: Loudest::default(), heard: Vec::new(), limit, now: Instant::now(), entries: 0 }
    }

    /// Everybody sends for a while; dBov by number, silence where none is given.
    fn run(&mut self, time: Duration, level: impl Fn(usize) -> Option<u8>) {
        let end = self.now + time;
        while self.now < end {
            for (number, key) in self.keys.clone().into_iter().enumerate() {
                self.voices[key].on_packet(AudioLevel { voice: true, level: level(number).unwrap_or(127) }, self.now);
                self.send(key);
            }
            self.now += Duration::from_millis(20);
        }
    }

    fn send(&mut self, key: PublicationKey) {
        if self.heard.contains(&key) {
            return;
        }
        match self.loudest.enter(self.limit, key, &self.voices[key], self.now, |other| self.voices.get(other)) {
            Entry::Free => self.heard.push(key),
            Entry::Replacing(other) => {
                self.heard.retain(|heard| *heard != other);
                self.heard.push(key);
                self.entries += 1;
            }
            Entry::Refused => {}
        }
        assert!(self.heard.len() <= self.limit);
    }

    fn hears(&self, number: usize) -> bool {
        self.heard.contains(&self.keys[number])
    }
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[test]
fn as_many_as_there_is_room_for_are_all_heard() {
    let mut room = Room::of(10, 10);
    room.run(ms(20), |_| None);
    assert!((0..10).all(|number| room.hears(number)));
}

#[test]
fn a_new_voice_is_heard_at_once() {
    let mut room = Room::of(40, 10);
    room.run(ms(5_000), |number| (number < 3).then_some(30));
    assert!(!room.hears(39));
    room.run(ms(100), |number| (number < 3 || number == 39).then_some(30));
    assert!(room.hears(39), "a place was silent for long");
    assert!((0..3).all(|number| room.hears(number)));
    assert_eq!(room.entries, 1);
}

#[test]
fn who_spoke_lately_stays() {
    let mut room = Room::of(4, 2);
    room.run(ms(2_000), |number| (number < 2).then_some(30));
    // Both pause; a cough of 200 ms elsewhere takes nobody's place, a voice does.
    room.run(ms(1_000), |_| None);
    room.run(ms(200), |number| (number == 3).then_some(30));
    assert!(room.hears(0) && room.hears(1));
    room.run(ms(400), |number| (number == 3).then_some(30));
    assert!(room.hears(3));
    // Whoever was pushed out and speaks again is back as soon as that is sure, in the place of the one that is silent.
    let out = if room.hears(0) { 1 } else { 0 };
    room.run(ms(500), |number| (number == 3 || number == out).then_some(30));
    assert!(room.hears(3) && room.hears(out));
}

#[test]
fn equals_do_not_take_turns() {
    let mut room = Room::of(40, 10);
    room.run(ms(20), |_| None);
    room.run(ms(10_000), |number| Some(30 + (number % 5) as u8));
    assert_eq!(room.entries, 0, "within 6 dB");
    // One that is clearly louder enters, once.
    room.run(ms(10_000), |number| Some(if number == 39 { 15 } else { 30 + (number % 5) as u8 }));
    assert!(room.hears(39));
    assert_eq!(room.entries, 1);
}

/// The comparison has an end even if everybody is louder than somebody.
#[test]
fn a_crowd_of_different_voices_settles() {
    let mut room = Room::of(40, 10);
    room.run(ms(20), |_| None);
    room.run(ms(20_000), |number| Some(60 - number as u8));
    let settled = room.entries;
    assert!(settled <= 60, "{settled}");
    room.run(ms(20_000), |number| Some(60 - number as u8));
    assert_eq!(room.entries, settled);
    // Within the margin those who are passed on are the loudest.
    assert!((36..40).all(|number| room.hears(number)));
}

#[test]
fn a_place_that_becomes_free_is_taken() {
    let mut room = Room::of(3, 2);
    room.run(ms(20), |_| None);
    assert!(!room.hears(2));
    let gone = room.keys.remove(0);
    room.voices.remove(gone);
    room.heard.retain(|heard| *heard != gone);
    room.loudest.remove(gone);
    room.run(ms(20), |_| None);
    assert!(room.hears(0) && room.hears(1));
}

/// A publisher that tells no level is judged by the size of its packets.
#[test]
fn without_levels_size_tells() {
    let mut room = Room::of(3, 1);
    room.run(ms(5_000), |_| None);
    let (quiet, sound) = (room.keys[1], room.keys[2]);
    for _ in 0..3 {
        room.voices[quiet].on_unmarked_packet(8, room.now);
        room.send(quiet);
        room.voices[sound].on_unmarked_packet(90, room.now);
        room.send(sound);
        room.now += ms(20);
    }
    assert!(room.hears(2) && !room.hears(1));
    // A voice with a level is louder than what may be none, and takes over.
    for _ in 0..100 {
        room.voices[sound].on_unmarked_packet(90, room.now);
        room.voices[quiet].on_packet(AudioLevel { voice: true, level: 25 }, room.now);
        room.send(quiet);
        room.now += ms(20);
    }
    assert!(room.hears(1));
}
