//! Plans that once went wrong, as small as they could be made.

use super::*;

/// A plan of pictures numbered from 0, in which little happens: the packets of each fare as `fates` says, counted as [`World::run`] does.
fn plan(structures: &[Structure], pictures: usize, events: &[(usize, Step)]) -> Plan {
    let dull = Step { keys: 0, ask: None, fates: vec![Fate::InTurn; 7], echo: None };
    let mut steps = vec![dull; pictures];
    for (at, step) in events {
        steps[*at] = step.clone();
    }
    Plan { structures: structures.to_vec(), steps, rtx: false, clocks: false }
}

fn fates(len: usize, odd: &[(usize, Fate)]) -> Vec<Fate> {
    let mut fates = vec![Fate::InTurn; len];
    odd.iter().for_each(|(at, fate)| fates[*at] = *fate);
    fates
}

fn asked(encoding: u8, spatial: u8, temporal: u8) -> Option<Option<(u8, Target)>> {
    Some(Some((encoding, Target { spatial, temporal })))
}

const PLAIN: Structure = Structure { spatial: 1, temporal: 1, key_mode: false };

#[test]
fn a_key_frame_that_went_out_is_not_begun_with_again_when_its_first_packet_is_late() {
    let away = Step { keys: 0b11, ask: asked(1, 0, 0), fates: fates(9, &[(0, Fate::Late(34)), (5, Fate::Late(1))]), echo: None };
    let back = Step { keys: 0, ask: asked(0, 0, 0), fates: fates(7, &[]), echo: None };
    World::new(plan(&[PLAIN, PLAIN], 10, &[(8, away), (9, back)])).run().check();
}

#[test]
fn more_pictures_do_not_begin_above_a_spatial_layer_that_was_left_out() {
    let layered = Structure { spatial: 2, temporal: 3, key_mode: false };
    let fewer = Step { keys: 0, ask: asked(0, 1, 0), fates: fates(7, &[]), echo: None };
    let late = Step { keys: 0, ask: None, fates: fates(9, &[(4, Fate::Late(32))]), echo: None };
    let more = Step { keys: 0, ask: asked(0, 1, 1), fates: fates(7, &[]), echo: None };
    World::new(plan(&[layered], 12, &[(8, fewer), (10, late), (11, more)])).run().check();
}

#[test]
fn a_picture_whose_first_packet_is_late_gives_way_to_a_key_frame_that_waits() {
    let layered = Structure { spatial: 3, ..PLAIN };
    let ask = Step { keys: 0, ask: asked(1, 0, 0), fates: fates(7, &[]), echo: None };
    let key = Step { keys: 0b10, ask: None, fates: fates(8, &[(3, Fate::Late(33))]), echo: None };
    let torn = Step { keys: 0, ask: None, fates: fates(8, &[(0, Fate::Late(20)), (2, Fate::Late(21))]), echo: None };
    World::new(plan(&[PLAIN, layered], 11, &[(3, ask), (9, key), (10, torn)])).run().check();
}
