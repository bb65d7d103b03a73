//! What was read of services' history, remembered, so that the same question reads only what has happened since.

use super::story::Story;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many sums of 16 bytes are remembered of all services together.
const CAPACITY: usize = 4_000_000;

/// The memory of one process.
#[derive(Debug, Default)]
pub struct Past(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    stories: HashMap<i32, Arc<Story>>,
    weight: usize,
}

impl Past {
    /// What is known of each of these services.
    pub(super) fn of(&self, services: &[i32]) -> HashMap<i32, Arc<Story>> {
        let memory = self.lock();
        services
            .iter()
            .filter_map(|seq| Some((*seq, memory.stories.get(seq)?.clone())))
            .collect()
    }

    /// A slot before which every check of these services is summed up; `None` when that is not remembered of each. What is
    /// summed up only grows.
    pub(super) fn folded(&self, services: &[i32]) -> Option<i64> {
        let memory = self.lock();
        let mut oldest = None::<i64>;
        for seq in services {
            let folded = memory.stories.get(seq)?.folded();
            oldest = Some(oldest.map_or(folded, |oldest| oldest.min(folded)));
        }
        oldest
    }

    /// Remembers.
    pub(super) fn learn(&self, stories: impl IntoIterator<Item = (i32, Arc<Story>)>) {
        let mut memory = self.lock();
        for (seq, story) in stories {
            memory.weight += story.weight();
            if let Some(before) = memory.stories.insert(seq, story) {
                memory.weight -= before.weight();
            }
        }
        // Beginning again costs one long read of what is still asked for; finding the oldest would cost every read.
        if memory.weight > CAPACITY {
            *memory = Memory::default();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
