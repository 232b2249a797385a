//! Forecasts meet what the store holds of them: when an edge sees a region for the first time, and after each quarter of an hour.
//!
//! What is to be taken and what is to be written, [`cluster_core::forecast::Series`] decides. A store that is away leaves everything as it was, and is asked
//! in the next round.

use super::advice::Adviser;
use super::store::{Remembered, Store, StoreError};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Regions of one round: six kilobytes each, there and back.
const AT_ONCE: usize = 8;

/// Lets those meet it that are to.
pub(super) async fn exchange(adviser: &Mutex<Adviser>, store: &Store) -> Result<(), StoreError> {
    let due = lock(adviser).due(AT_ONCE);
    if due.is_empty() || !store.answers() {
        return Ok(());
    }
    let stored = store.forecasts(&due).await?;
    for (region, stored) in due.iter().zip(stored) {
        let write = lock(adviser).meet(region, stored.as_deref());
        let Some((learned, quarter)) = write else { continue };
        match store.remember(region, stored.as_deref(), &learned, quarter).await? {
            Remembered::Written => lock(adviser).settle(region),
            // What stands there now is read in the next round.
            Remembered::Changed => (),
            Remembered::WrongTime => {
                tracing::warn!(
                    "this edge's clock and the store's are a quarter of an hour apart or more: forecasts are not shared; set both by NTP"
                );
                lock(adviser).settle(region);
            }
        }
    }
    Ok(())
}

fn lock(adviser: &Mutex<Adviser>) -> MutexGuard<'_, Adviser> {
    adviser.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
