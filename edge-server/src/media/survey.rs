//! Looking into rooms: every shard is asked, and the parts of a room become one answer.

use super::Media;
use super::link::{Input, Inspection};
use core::time::Duration;
use nearcast_protocol::{ErrorInfo, Moderation};
use sfu_core::inspect::{Page, PageQuery, ParticipantView, RoomView};

/// Some shard didn't answer in time, so whatever the others say is not the whole truth.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a media thread did not answer in time; ask again, and see /readyz if it stays so")]
pub struct Unanswered;

impl Media {
    /// The rooms of all shards, by name.
    ///
    /// # Errors
    /// A shard that doesn't answer `within` that time.
    pub async fn rooms(&self, page: PageQuery, within: Duration) -> Result<Page<RoomView>, Unanswered> {
        let answers = self.ask(within, |answer| Input::Rooms(page.clone(), answer)).await;
        let parts = answers.into_iter().collect::<Option<Vec<_>>>().ok_or(Unanswered)?;
        Ok(merge(
            parts,
            page.limit,
            |room| &room.room,
            |whole, part| {
                whole.participants += part.participants;
                whole.publications += part.publications;
                whole.subscriptions += part.subscriptions;
            },
        ))
    }

    /// The participants of a room, by id, whichever shards they are on; none: there is no such room.
    ///
    /// # Errors
    /// A shard that doesn't answer `within` that time.
    pub async fn inspect(&self, asked: Inspection, within: Duration) -> Result<Option<Page<ParticipantView>>, Unanswered> {
        let answers = self.ask(within, |answer| Input::Inspect(asked.clone(), answer)).await;
        let parts = answers.into_iter().collect::<Option<Vec<_>>>().ok_or(Unanswered)?;
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        // A stay has one transport, which is on one shard: nobody is told of twice.
        Ok((!parts.is_empty()).then(|| merge(parts, asked.page.limit, |participant| participant.id.as_str(), |_, _| ())))
    }

    /// Moderates a room, whichever shards it is on; none: nobody is in it.
    ///
    /// # Errors
    /// A shard that doesn't answer `within` that time: what it holds of the room may not have been moderated.
    pub async fn moderate(
        &self,
        room: &str,
        moderation: &Moderation,
        within: Duration,
    ) -> Result<Option<Result<(), ErrorInfo>>, Unanswered> {
        let answers = self.ask(within, |answer| Input::Moderate(room.to_owned(), moderation.clone(), answer)).await;
        let parts = answers.into_iter().collect::<Option<Vec<_>>>().ok_or(Unanswered)?;
        // A part may not know yet of a publication in another one, which does the stopping.
        Ok(parts.into_iter().flatten().reduce(|one, other| one.or(other)))
    }
}

/// One page of the pages of all shards. What lies behind the end of a page that isn't its shard's last can't be told yet: something of
/// that shard may belong before it.
fn merge<T>(parts: Vec<Page<T>>, limit: usize, key: impl Fn(&T) -> &str, add: impl Fn(&mut T, T)) -> Page<T> {
    let ends = parts.iter().filter(|part| part.more).filter_map(|part| part.items.last());
    let end = ends.map(|item| key(item).to_owned()).min();
    let mut more = end.is_some();
    let mut all: Vec<T> = parts.into_iter().flat_map(|part| part.items).collect();
    all.sort_by(|one, other| key(one).cmp(key(other)));
    let mut items: Vec<T> = Vec::new();
    for item in all {
        if end.as_ref().is_some_and(|end| key(&item) > end.as_str()) {
            break;
        }
        let same = items.last().is_some_and(|last| key(last) == key(&item));
        if !same && items.len() >= limit {
            more = true;
            break;
        }
        match items.last_mut() {
            Some(last) if same => add(last, item),
            _ => items.push(item),
        }
    }
    Page { items, more }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names and how many they stand for.
    fn page(items: &[(&str, u32)], more: bool) -> Page<(String, u32)> {
        Page { items: items.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(), more }
    }

    fn merged(parts: Vec<Page<(String, u32)>>, limit: usize) -> Page<(String, u32)> {
        merge(parts, limit, |item| &item.0, |whole, part| whole.1 += part.1)
    }

    #[test]
    fn parts_of_one_room_become_one() {
        let parts = vec![page(&[("a", 1), ("c", 2)], false), page(&[("b", 3), ("c", 4)], false), page(&[], false)];
        assert_eq!(merged(parts, 10), page(&[("a", 1), ("b", 3), ("c", 6)], false));
    }

    #[test]
    fn nothing_is_told_beyond_what_every_shard_has_told() {
        // The first shard may have something between b and z.
        let parts = vec![page(&[("a", 1), ("b", 1)], true), page(&[("b", 1), ("z", 1)], false)];
        assert_eq!(merged(parts, 10), page(&[("a", 1), ("b", 2)], true));
    }

    #[test]
    fn a_page_has_no_more_than_was_asked_for_and_says_so() {
        let parts = vec![page(&[("a", 1), ("c", 1)], false), page(&[("b", 1), ("c", 1)], false)];
        assert_eq!(merged(parts.clone(), 2), page(&[("a", 1), ("b", 1)], true));
        assert_eq!(merged(parts, 3), page(&[("a", 1), ("b", 1), ("c", 2)], false));
    }

    #[test]
    fn pages_behind_one_another_tell_everything_once() {
        let shards = [["a", "d", "e", "h"], ["b", "c", "f", "g"]];
        let mut told = Vec::new();
        let mut after = String::new();
        for _ in 0..10 {
            let part = |names: &[&str; 4]| {
                let behind: Vec<_> = names.iter().filter(|name| **name > after.as_str()).map(|name| (*name, 1)).collect();
                page(&behind[..behind.len().min(2)], behind.len() > 2)
            };
            let whole = merged(shards.iter().map(part).collect(), 3);
            told.extend(whole.items.iter().map(|item| item.0.clone()));
            let Some(last) = told.last().filter(|_| whole.more) else { break };
            after.clone_from(last);
        }
        assert_eq!(told, ["a", "b", "c", "d", "e", "f", "g", "h"]);
    }
}
