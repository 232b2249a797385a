//! Counters that many threads add to, and their values at one moment: a struct of each from one list.

/// Declares both. The first struct is what is added to, the second what [`serde::Serialize`] writes; each field is documented once, and both
/// have it.
macro_rules! counters {
    (
        $(#[$shared_doc:meta])* $shared_vis:vis struct $shared:ident;
        $(#[$snapshot_doc:meta])* $snapshot_vis:vis struct $snapshot:ident;
        $($(#[$doc:meta])* $name:ident;)*
    ) => {
        $(#[$shared_doc])*
        #[derive(Debug, Default)]
        $shared_vis struct $shared { $($(#[$doc])* $shared_vis $name: ::std::sync::atomic::AtomicU64,)* }

        $(#[$snapshot_doc])*
        #[derive(Clone, Copy, Debug, ::serde::Serialize)]
        $snapshot_vis struct $snapshot { $($(#[$doc])* $snapshot_vis $name: u64,)* }

        impl $shared {
            /// Their values now.
            #[must_use]
            $shared_vis fn snapshot(&self) -> $snapshot {
                $snapshot { $($name: self.$name.load(::std::sync::atomic::Ordering::Relaxed),)* }
            }
        }
    };
}

pub(crate) use counters;
