//! Which cores what runs on, and what a thread has used.
//!
//! The server gets a core of its own, so that its cost isn't mixed with that of its load. With one core only, both share it; the
//! measurement then says so.

use crate::LoadError;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use std::time::Duration;

/// Numbers of the cores used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cores {
    /// The server's, and the floor's.
    pub server: usize,
    /// Of the receiving clients and of everything else here.
    pub clients: usize,
    /// Of the publishing clients; that of the others when there are only two.
    pub publishers: usize,
}

impl Cores {
    /// Chooses among those this process may use.
    ///
    /// # Errors
    /// The system doesn't tell.
    pub fn choose() -> Result<Self, LoadError> {
        let allowed = sched_getaffinity(Pid::from_raw(0)).map_err(LoadError::system("asking which cores may be used"))?;
        Ok(Self::among((0..CpuSet::count()).filter(|core| allowed.is_set(*core).unwrap_or(false))))
    }

    fn among(mut allowed: impl Iterator<Item = usize>) -> Self {
        let server = allowed.next().unwrap_or(0);
        let clients = allowed.next().unwrap_or(server);
        Self { server, clients, publishers: allowed.next().unwrap_or(clients) }
    }

    /// The server shares its core with the load.
    #[must_use]
    pub fn are_shared(&self) -> bool {
        self.server == self.clients
    }
}

/// Keeps the calling thread, and what it starts from now on, on one core.
///
/// # Errors
/// The system refuses.
pub fn pin(core: usize) -> Result<(), LoadError> {
    let mut set = CpuSet::new();
    set.set(core)
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set))
        .map_err(LoadError::system(format!("keeping a thread on core {core}")))
}

/// CPU time of the calling thread since it began.
#[must_use]
pub fn thread_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publishers_get_a_core_when_there_are_three() {
        assert_eq!(Cores::among([2, 5, 7, 8].into_iter()), Cores { server: 2, clients: 5, publishers: 7 });
        assert_eq!(Cores::among([0, 1].into_iter()), Cores { server: 0, clients: 1, publishers: 1 });
        assert!(Cores::among(std::iter::once(3)).are_shared());
    }

    #[test]
    fn a_pinned_thread_stays_where_it_is() {
        let core = Cores::choose().unwrap().clients;
        std::thread::spawn(move || {
            pin(core).unwrap();
            assert_eq!(nix::sched::sched_getcpu().unwrap(), core);
            assert_eq!(Cores::choose().unwrap(), Cores { server: core, clients: core, publishers: core });
        })
        .join()
        .unwrap();
    }
}
